/** One entry of the queue. The folder may be written by programs other than ours, so what lies there is read with care. */
import { open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

export interface QueueEntry {
  schema: 'snapproof.queue-entry/v1';
  id: string;
  /** Absolute: an image, a folder holding a restore point, or its manifest. */
  path: string;
  /** ISO 8601, UTC. */
  enqueuedAt: string;
  /** Who put it in: `vzdump`, `borgmatic`, a person. */
  by: string;
}

const MAX_BYTES = 64 * 1024;

/** A text says why it is none; null: it is gone. */
export async function readEntry(file: string, id: string): Promise<QueueEntry | string | null> {
  try {
    const text = await readBounded(file);
    return text === null ? `it has more than ${MAX_BYTES} bytes` : parseEntry(text, id);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : message;
  }
}

export function parseEntry(text: string, id: string): QueueEntry | string {
  const value = parsed(text);
  if (value === null || typeof value !== 'object') return 'it is no JSON object';
  const { schema, path, enqueuedAt, by, id: named } = value as Record<string, unknown>;
  if (schema !== 'snapproof.queue-entry/v1') return 'its schema is not snapproof.queue-entry/v1';
  if (named !== id) return 'its id is not that of its file';
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0')) return 'its path is not absolute';
  if (typeof enqueuedAt !== 'string' || Number.isNaN(Date.parse(enqueuedAt))) return 'its time is no instant';
  return { schema, id, path, enqueuedAt, by: typeof by === 'string' ? by : '' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readBounded(file: string): Promise<string | null> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return bytesRead > MAX_BYTES ? null : buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
