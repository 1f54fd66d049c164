/** What the gate is asked about: a restore point on the disk, the digest of a file, or a machine. */
import { access } from 'node:fs/promises';
import { UsageError } from '../errors.js';
import { digestFiles, filesToDigest, ImageFile, openImages } from '../images/index.js';
import { loadRestorePoints } from '../sources/index.js';
import type { FileDigest, ProgressSink, RestorePoint } from '../types.js';
import type { Shortfall } from './assess.js';

/** One file as it lies on the disk now, without having been read. */
export interface FoundFile {
  role: FileDigest['role'];
  path: string;
  sizeBytes: number;
  modifiedAt: Date;
}

export type Subject =
  | { kind: 'restore-point'; restorePoint: RestorePoint; digests: FileDigest[]; problems: Shortfall[] }
  | { kind: 'trusted-restore-point'; restorePoint: RestorePoint; files: FoundFile[]; problems: Shortfall[] }
  | { kind: 'digest'; sha256: string }
  | { kind: 'machine'; machine: string };

export interface SubjectOptions {
  /** Files are not read again: size and time of change must do. */
  trustDigest: boolean;
  /** Further folders in which members of a backing chain may lie. */
  allowedFolders: string[];
  signal: AbortSignal;
  progress: ProgressSink;
}

const SHA256 = /^(?:sha256:)?([0-9a-f]{64})$/i;

/**
 * 64 hexadecimal digits are a digest, what is there is a path, a name without a slash is a machine (also `machine:NAME`).
 * @throws UsageError for a path at which there is nothing; InterruptedError
 */
export async function subjectOf(target: string, options: SubjectOptions): Promise<Subject> {
  const digest = SHA256.exec(target)?.[1];
  if (digest !== undefined) return { kind: 'digest', sha256: digest.toLowerCase() };
  if (target.startsWith('machine:')) return { kind: 'machine', machine: target.slice('machine:'.length) };
  const there = await access(target).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
  if (!there && !target.includes('/')) return { kind: 'machine', machine: target };
  const [restorePoint] = await loadRestorePoints([target]);
  if (!restorePoint) throw new UsageError({ code: 'source.none', message: `${target} holds no restore point.` });
  return restorePointSubject(restorePoint, options);
}

export async function restorePointSubject(restorePoint: RestorePoint, options: SubjectOptions): Promise<Subject> {
  const images = await openImages(restorePoint, options.allowedFolders);
  const refused = images.flatMap((image) => (image.refused ? [{ code: 'unreadable', message: image.refused.message }] : []));
  const files = filesToDigest(restorePoint, images);
  if (options.trustDigest) {
    const found = await Promise.all(files.map(lookAtFile));
    const gone = found.flatMap((file) => ('code' in file ? [file] : []));
    return { kind: 'trusted-restore-point', restorePoint, files: found.flatMap((file) => ('code' in file ? [] : [file])), problems: [...refused, ...gone] };
  }
  // What cannot be opened as an image proves nothing, however long its other files take to be read.
  if (refused.length > 0) return { kind: 'restore-point', restorePoint, digests: [], problems: refused };
  const { digests, findings } = await digestFiles(files, { signal: options.signal, progress: options.progress });
  return { kind: 'restore-point', restorePoint, digests, problems: findings.map(({ message }) => ({ code: 'unreadable', message })) };
}

async function lookAtFile({ role, path }: { role: FileDigest['role']; path: string }): Promise<FoundFile | Shortfall> {
  try {
    const file = await ImageFile.open(path);
    try {
      const { modifiedNs } = await file.stamp();
      return { role, path, sizeBytes: file.sizeBytes, modifiedAt: new Date(Number(modifiedNs / 1_000_000n)) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { code: 'unreadable', message: `${path} cannot be opened (${(error as NodeJS.ErrnoException).code ?? String(error)}).` };
  }
}
