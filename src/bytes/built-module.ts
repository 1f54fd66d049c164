/** Worker threads run built JavaScript only: finds the built module, also when this runs from the TypeScript sources (tests). */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MissingToolError } from '../errors.js';

/**
 * @param module URL of a `.js` module beside the caller, as built.
 * @returns the same, or its counterpart below dist/ when the caller runs from source.
 * Throws MissingToolError when it was not built since its source changed.
 */
export function builtModule(module: URL): URL {
  const path = fileURLToPath(module);
  const source = path.replace(/\.js$/, '.ts');
  if (!existsSync(source)) return module;
  const root = projectRoot(dirname(path));
  const built = join(root, 'dist', relative(root, path));
  const fresh = existsSync(built) && statSync(built).mtimeMs >= statSync(source).mtimeMs;
  if (fresh) return pathToFileURL(built);
  throw new MissingToolError({
    code: 'build.missing',
    message: `${relative(root, built)} is missing or older than its source: worker threads run the built program`,
    advice: 'Run `npm run build`.',
  });
}

function projectRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? folder : projectRoot(parent);
}
