/**
 * The exposure lab: the disks of a restore point as block devices, read-only as captured and writable on a throw-away overlay.
 * One qemu-storage-daemon, confined, serves all of them on one Unix socket; the host reads plain runs straight from the files.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { wholeSource } from '../../bytes/map.js';
import { LabError } from '../../errors.js';
import type { ByteMap, SnapshotImage, SourceSpec } from '../../types.js';
import type { Exposure, Lab, LabSession } from '../lab.js';
import { awaitSocket } from '../sandbox/await-socket.js';
import { type ConfinedProcess, type SandboxSession, sandboxLab } from '../sandbox/index.js';
import { type BlockNode, capturedNodeName, capturedNodes, devicePaths, layerPaths, nestedNode, overlayNodes } from './block-nodes.js';
import { parseImageMap } from './image-map.js';
import { createOverlay } from './overlay.js';

const START_TIMEOUT_MS = 20_000;
const MAP_TIMEOUT_MS = 120_000;
const MAP_OUTPUT_BYTES = 512 * 1024 * 1024;

export interface ExposureRequest {
  images: SnapshotImage[];
  /** A folder of the run's own; overlays and the socket go there. */
  workFolder: string;
  /** Its limit on the size of files is the limit of the overlay. */
  sandbox: SandboxSession;
}

export class ExposureLab implements Lab<ExposureRequest, ExposureSession> {
  readonly name = 'exposure';

  probe(): Promise<{ usable: boolean; why: string }> {
    return sandboxLab.probe();
  }

  async open(request: ExposureRequest, signal: AbortSignal): Promise<ExposureSession> {
    const folder = join(request.workFolder, 'exposure');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      for (const image of request.images) await createOverlay(image, overlayPath(folder, image), request.sandbox, signal);
      const server = await startServer(request, folder, signal);
      return new ExposureSession(request.images, folder, server, request.sandbox, signal);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

export class ExposureSession implements Exposure, LabSession {
  private readonly capturedMaps = new Map<string, Promise<ByteMap>>();

  constructor(
    readonly images: SnapshotImage[],
    private readonly folder: string,
    private readonly server: ConfinedProcess,
    private readonly sandbox: SandboxSession,
    private readonly signal: AbortSignal,
  ) {}

  captured(disk: string): Promise<ByteMap> {
    let map = this.capturedMaps.get(disk);
    if (!map) {
      map = this.map(this.image(disk), null);
      this.capturedMaps.set(disk, map);
    }
    return map;
  }

  current(disk: string): Promise<ByteMap> {
    const image = this.image(disk);
    return this.map(image, overlayPath(this.folder, image));
  }

  overlaySocket(disk: string): { socketPath: string; exportName: string } {
    return { socketPath: join(this.folder, 'nbd.sock'), exportName: this.image(disk).name };
  }

  async close(): Promise<void> {
    await this.server.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private image(disk: string): SnapshotImage {
    const image = this.images.find((candidate) => candidate.name === disk);
    if (!image) throw new LabError({ code: 'exposure.disk', message: `the restore point has no disk "${disk}"` });
    return image;
  }

  private async map(image: SnapshotImage, overlay: string | null): Promise<ByteMap> {
    const exportName = overlay === null ? capturedExport(image) : image.name;
    const server: SourceSpec = { kind: 'nbd', socketPath: join(this.folder, 'nbd.sock'), exportName };
    const [only] = image.layers;
    if (overlay === null && image.layers.length === 1 && only?.format === 'raw' && only.details.device !== true) {
      return wholeSource({ kind: 'file', path: only.path }, image.virtualSizeBytes);
    }
    const result = await this.sandbox.run(
      {
        tool: 'qemu-img',
        args: ['map', '-U', '--output=json', `json:${JSON.stringify(nestedNode(image, overlay))}`],
        readable: [...layerPaths([image]), ...(overlay === null ? [] : [overlay])],
        devices: devicePaths([image]),
        timeoutMs: MAP_TIMEOUT_MS,
        outputBytes: MAP_OUTPUT_BYTES,
      },
      this.signal,
    );
    // Without a usable map everything is still readable, only slower, through the server.
    if (result.exitCode !== 0 || result.truncated) return wholeSource(server, image.virtualSizeBytes);
    const paths = image.layers.map((layer) => layer.path);
    return parseImageMap(result.stdout, image.virtualSizeBytes, overlay === null ? paths : [overlay, ...paths], server);
  }
}

function overlayPath(folder: string, image: SnapshotImage): string {
  return join(folder, `${image.name}.qcow2`);
}

function capturedExport(image: SnapshotImage): string {
  return `${image.name}-captured`;
}

function daemonArgs(images: SnapshotImage[], folder: string, socketPath: string): string[] {
  const args: string[] = [];
  const node = (description: BlockNode) => args.push('--blockdev', JSON.stringify(description));
  for (const image of images) {
    capturedNodes(image).forEach(node);
    overlayNodes(image, overlayPath(folder, image)).forEach(node);
  }
  args.push('--nbd-server', `addr.type=unix,addr.path=${socketPath.replaceAll(',', ',,')},max-connections=0`);
  for (const image of images) {
    args.push('--export', JSON.stringify(nbdExport(`${image.name}-overlay`, image.name, true)));
    args.push('--export', JSON.stringify(nbdExport(capturedNodeName(image), capturedExport(image), false)));
  }
  return args;
}

function nbdExport(nodeName: string, name: string, writable: boolean): object {
  return { type: 'nbd', id: `export-${name}`, 'node-name': nodeName, name, writable };
}

async function startServer(request: ExposureRequest, folder: string, signal: AbortSignal): Promise<ConfinedProcess> {
  const socketPath = join(folder, 'nbd.sock');
  const server = await request.sandbox.spawn({
    tool: 'qemu-storage-daemon',
    args: daemonArgs(request.images, folder, socketPath),
    readable: layerPaths(request.images),
    writable: [folder],
    devices: devicePaths(request.images),
  });
  try {
    await awaitSocket(socketPath, server, { what: 'the block server', timeoutMs: START_TIMEOUT_MS }, signal);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}
