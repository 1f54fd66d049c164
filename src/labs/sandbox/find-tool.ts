/** Finds host programs. Administration tools lie in sbin, which is not on every user's PATH. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { missingTool } from './packages.js';

const ALWAYS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin'];

/** Absolute path of an executable; an absolute path is only tested. @throws MissingToolError with the command that installs it. */
export async function findTool(tool: string, searchPath = process.env.PATH ?? ''): Promise<string> {
  const folders = [...searchPath.split(':').filter(isAbsolute), ...ALWAYS];
  const candidates = isAbsolute(tool) ? [tool] : tool.includes('/') ? [] : folders.map((folder) => join(folder, tool));
  for (const candidate of candidates) {
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  throw missingTool(tool);
}
