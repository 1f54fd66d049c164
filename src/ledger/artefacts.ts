/** Files kept beside the records (screenshots, logs): each under its own SHA-256, so that the same bytes lie there once and none can be changed unseen. */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerError } from '../errors.js';
import type { Artefact } from '../ways.js';

/** Of the state folder. */
export const ARTEFACT_FOLDER = 'artefacts';

/** Where an artefact lies in the folder of all. */
export function artefactPath(folder: string, sha256: string): string {
  return join(folder, sha256.slice(0, 2), sha256);
}

/** It is there whole, or not at all. @throws LedgerError when it cannot be written */
export async function keepArtefact(folder: string, name: string, mediaType: string, bytes: Uint8Array): Promise<Artefact> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = artefactPath(folder, sha256);
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(join(folder, sha256.slice(0, 2)), { recursive: true, mode: 0o700 });
    await writeFile(draft, bytes, { mode: 0o600 });
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (cause) {
    const message = `${name} cannot be kept in ${folder}: ${(cause as Error).message}`;
    throw new LedgerError({ code: 'ledger.artefact', message, advice: 'Make room, or name another place with --state.', cause });
  } finally {
    await rm(draft, { force: true });
  }
  return { name, mediaType, sizeBytes: bytes.length, sha256 };
}
