/** Host programs by name, and the error for one that is not there. */
import { MissingToolError } from '../../errors.js';
import { packageOf, findTool as search } from '../../setup/debian.mjs';

/** Absolute path of an executable; an absolute path is only tested. @throws MissingToolError with the command that installs it. */
export function findTool(tool: string, searchPath = process.env.PATH ?? ''): string {
  const isRelative = tool.includes('/') && !tool.startsWith('/');
  const found = isRelative ? null : search(tool, { PATH: searchPath });
  if (found === null) throw missingTool(tool);
  return found;
}

/** The error for a tool that is not on this host. */
export function missingTool(tool: string, cause?: unknown): MissingToolError {
  const debianPackage = packageOf(tool);
  const advice = debianPackage ? `Install it: apt-get install ${debianPackage.name}` : `Install the package that brings ${tool}.`;
  return new MissingToolError({ code: 'sandbox.tool-missing', message: `The program "${tool}" is not on this host. ${advice}`, advice, cause });
}
