/** Where snapproof keeps things of its own, by the XDG Base Directory Specification; created with mode 0700. */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** What can be made again: the appliance, the answer of the KVM trial, the sample. */
export function cacheFolder(...parts: string[]): Promise<string> {
  return ensureFolder(join(xdgFolder('XDG_CACHE_HOME', '.cache'), 'snapproof', ...parts));
}

/** What must not be lost: the ledger. */
export function stateFolderPath(): string {
  return join(xdgFolder('XDG_STATE_HOME', '.local/state'), 'snapproof');
}

async function ensureFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/** The specification says that a relative path is to be ignored. */
function xdgFolder(variable: string, fallback: string): string {
  const value = process.env[variable];
  return value && isAbsolute(value) ? value : join(homedir(), fallback);
}
