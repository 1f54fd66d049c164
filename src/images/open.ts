/** From a disk's source to its whole chain, as our own parsers see it: before any tool sees a byte. */
import { FormatError } from '../errors.js';
import type { DiskSource, Finding, ImageFormat, ImageLayer, InternalSnapshot, RestorePoint, SnapshotImage } from '../types.js';
import { AllowedFolders, noPermission } from './allowed-folders.js';
import { type ImageHeader, quote, refuse } from './header.js';
import { ImageFile } from './image-file.js';
import { formatNamed, IMAGE_FORMATS, parseImage } from './parse.js';

const MAX_LAYERS = 100;

export interface OpenOptions {
  /** The restore point's own folder. */
  folder: string;
  /** Further folders in which members of a chain may lie. */
  allowedFolders: string[];
  /** `disk0`, `disk1`, ...; default `disk0`. */
  name?: string;
}

/** All disks of a restore point, in its order. */
export async function openImages(restorePoint: RestorePoint, allowedFolders: string[]): Promise<SnapshotImage[]> {
  const { folder, disks } = restorePoint;
  return Promise.all(disks.map((disk, index) => openImage(disk, { folder, allowedFolders, name: `disk${index}` })));
}

/**
 * Follows the chain from its top. What must not be opened, or cannot be, ends in `refused`: a fact about the backup.
 * @throws UsageError when a file may not be read, or an allowed folder does not exist.
 */
export async function openImage(disk: DiskSource, options: OpenOptions): Promise<SnapshotImage> {
  const own = await AllowedFolders.of([options.folder, ...options.allowedFolders]);
  const chain = new Chain(own, await AllowedFolders.of(options.allowedFolders));
  let refused: Finding | null = null;
  try {
    await chain.follow(disk);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const file = chain.current ?? disk.path;
    const message = `${file}: ${error.message}.${error.advice ? ` ${error.advice}` : ''}`;
    refused = { code: error.code, severity: 'critical', message, where: { file } };
  }
  const [top] = chain.layers;
  return {
    name: options.name ?? 'disk0',
    format: top?.format ?? disk.format ?? 'raw',
    virtualSizeBytes: top?.virtualSizeBytes ?? 0,
    layers: chain.layers,
    internalSnapshots: chain.internalSnapshots,
    refused,
  };
}

class Chain {
  readonly layers: ImageLayer[] = [];
  internalSnapshots: InternalSnapshot[] = [];
  /** The file looked at when something was refused. */
  current: string | null = null;

  /** @param beyondDevice what a block device may be backed by: its own folder is /dev, where every disk of the host lies. */
  constructor(
    private readonly folders: AllowedFolders,
    private readonly beyondDevice: AllowedFolders,
  ) {}

  async follow(disk: DiskSource): Promise<void> {
    let path = await this.folders.admit(disk.path, 'the image');
    for (let format = disk.format; ; ) {
      this.current = path;
      const { header, sizeBytes } = await readHeader(path, format);
      const layer = toLayer(path, sizeBytes, header);
      if (this.layers.length === 0) this.internalSnapshots = header.internalSnapshots;
      this.layers.push(layer);
      if (!header.backing) return;
      const fence = header.details.device === true ? this.beyondDevice : this.folders;
      const next = await fence.admitBacking(header.backing.name, path);
      this.assertNew(next);
      layer.backingPath = next;
      layer.details.backingFormatStated = header.backing.format !== null;
      format = backingFormat(header.backing.format);
      path = next;
    }
  }

  private assertNew(path: string): void {
    if (this.layers.some((layer) => layer.path === path)) throw refuse('chain.cyclic', `the chain of backing files leads in a circle, back to ${quote(path)}`);
    if (this.layers.length >= MAX_LAYERS) throw refuse('chain.too-deep', `the chain of backing files has more than ${MAX_LAYERS} members`);
  }
}

async function readHeader(path: string, format: ImageFormat | null): Promise<{ header: ImageHeader; sizeBytes: number }> {
  const file = await ImageFile.open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES' || error.code === 'EPERM') throw noPermission(path, error);
    throw refuse('unreadable', `the file cannot be opened (${error.code ?? error.message})`);
  });
  try {
    if (file.kind === 'other') throw refuse('not-a-file', 'it is neither a regular file nor a block device');
    const header = await parseImage(file, format);
    if (file.kind === 'device') header.details.device = true;
    return { header, sizeBytes: file.sizeBytes };
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await file.close();
  }
}

/** A file that shrinks or fails while it is read is a fact about the backup, like a damaged header. */
function asRefusal(error: unknown): unknown {
  if (error instanceof RangeError) return refuse('changed-while-read', error.message, 'Verify it when nothing writes to it any more.');
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EIO' ? refuse('unreadable', 'the storage reports a read error (EIO)', 'Check the storage that holds the backup.') : error;
}

function toLayer(path: string, sizeBytes: number, header: ImageHeader): ImageLayer {
  const { format, virtualSizeBytes, promisedBytes, details } = header;
  return { path, format, sizeBytes, virtualSizeBytes, promisedBytes, backingPath: null, details: { ...details } };
}

function backingFormat(stated: string | null): ImageFormat | null {
  if (stated === null) return null;
  const format = formatNamed(stated);
  if (!format)
    throw refuse('chain.format', `the backing file is stated to be ${quote(stated)}, which is not supported (supported: ${IMAGE_FORMATS.join(', ')})`);
  return format;
}
