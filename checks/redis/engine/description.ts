/** Redis and Valkey as engines that can be found and started: by the labs, which know nothing of them. */
import { MARK } from '../../../src/engines/answer.js';
import type { EngineDescription } from '../../../src/labs/lab.js';
import { engineScript, type ScriptOptions } from './script.js';
import type { Choice, ToLoad } from './what-to-load.js';

/** Debian, Ubuntu, Red Hat and SUSE; built from source; snaps. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/usr/local/sbin', '/opt/redis/bin', '/opt/bitnami/redis/bin', '/opt/bitnami/valkey/bin'];

export function redisEngine({ load, writer }: Choice, options: Omit<ScriptOptions, 'load' | 'program'>): EngineDescription {
  const family = writer?.family ?? 'redis';
  const major = writer?.version.split('.')[0] ?? null;
  const name = family === 'redis' ? 'Redis' : 'Valkey';
  const program = `${family}-server`;
  const wanted = new RegExp(`^${name} server v=${major}\\.`, 'i');
  return {
    name: `${name} ${major ?? 'of an unknown version'}`,
    program,
    guestFolders: FOLDERS,
    hostFolders: FOLDERS.slice(0, 4),
    fits: (text) => major !== null && wanted.test(text),
    install: `install the package ${program} of this version`,
    leaveOut: (path) => !isLoaded(path, load),
    script: (scene) => engineScript(scene, { ...options, load, program }),
    mark: MARK,
  };
}

/** A data folder may be somebody's home: only what the server loads is copied. */
function isLoaded(path: string, load: ToLoad): boolean {
  if (load.kind === 'rdb' || load.folder === null) return path === load.file;
  return path.startsWith(`${load.folder}/`) && !path.slice(load.folder.length + 1).startsWith('temp-');
}
