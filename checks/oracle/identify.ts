/** What a file of Oracle is, from its first two blocks. */
import type { ByteSource } from '../../src/types.js';
import {
  type DataHeader,
  type FilePrefix,
  parseControlHeader,
  parseDataHeader,
  parsePrefix,
  parseRedoHeader,
  type RedoHeader,
  type Role,
  roleOf,
} from './format/file.js';

export interface FileFacts extends FilePrefix {
  role: Role;
  dbid: number;
  name: string;
  data: DataHeader | null;
  redo: RedoHeader | null;
}

/** Null: no file of Oracle. A file of big-endian machines is one, and is not read. */
export async function identifyFile(source: ByteSource): Promise<FileFacts | null> {
  const prefix = parsePrefix(await source.read(0, Math.min(512, source.sizeBytes)));
  if (!prefix || source.sizeBytes < 2 * prefix.blockBytes) return null;
  const none = { ...prefix, role: 'unknown' as const, dbid: 0, name: '', data: null, redo: null };
  if (prefix.bigEndian) return none;
  const block = await source.read(prefix.blockBytes, prefix.blockBytes);
  const role = roleOf(block);
  if (role === 'control') return { ...none, role, ...parseControlHeader(block) };
  if (role === 'redo') {
    const redo = parseRedoHeader(block);
    return { ...none, role, dbid: redo.dbid, name: redo.name, redo };
  }
  if (role !== 'data' && role !== 'temporary') return none;
  const data = parseDataHeader(block);
  return { ...none, role, dbid: data.dbid, name: data.name, data };
}
