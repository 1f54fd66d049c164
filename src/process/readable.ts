import { accessSync, constants } from 'node:fs';

/** Whether this process may read a file. */
export function isReadable(path: string): boolean {
  return isAllowed(path, constants.R_OK);
}

/** Whether this process may read and write a file or device. */
export function isWritable(path: string): boolean {
  return isAllowed(path, constants.R_OK | constants.W_OK);
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
