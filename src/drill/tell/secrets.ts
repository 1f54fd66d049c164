/** Secrets of tells, read when they are needed and kept nowhere. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../../errors.js';
import type { SecretSource } from '../policy/types.js';

/** @throws UsageError that names where it should be, never what it is. */
export async function readSecret(source: SecretSource, env: NodeJS.ProcessEnv): Promise<string> {
  if ('env' in source) {
    const value = env[source.env];
    if (value) return value;
    throw new UsageError({ code: 'drill-tell.secret', message: `the environment variable ${source.env} is not set` });
  }
  const text = await readFile(source.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError({ code: 'drill-tell.secret', message: `the file ${source.file} cannot be read (${error.code})` });
  });
  const [line = ''] = text.split(/\r?\n/);
  if (line !== '') return line;
  throw new UsageError({ code: 'drill-tell.secret', message: `the first line of ${source.file} is empty` });
}
