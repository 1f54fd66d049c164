/** MariaDB as an engine that can be found and started: by the labs, which know nothing of it. */
import { MARK } from '../../../src/engines/answer.js';
import type { EngineDescription } from '../../../src/labs/lab.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { engineScript, PARTS, type ScriptOptions } from './script.js';

/** Debian and Ubuntu, Red Hat and SUSE, built from source, images of containers. */
const FOLDERS = ['/usr/sbin', '/usr/libexec', '/usr/bin', '/usr/local/mysql/bin', '/usr/local/bin', '/usr/local/sbin', '/opt/mariadb/bin'];

/** In no copy: the binary and relay logs, logs for people, marks of the running server, the cache of a cluster. */
const LEFT_OUT = /^([^/]*-bin\.(\d{6}|index|state)|[^/]*\.(err|pid|sock)|galera\.cache|ib_buffer_pool|ibtmp1|core(\.\d+)?)$/;

/** `10.11` of `10.11.6-MariaDB`; null when the instance does not tell. */
export function seriesOf(instance: Pick<DatabaseInstance, 'version'>): string | null {
  return /^(\d{1,2}\.\d{1,2})\b/.exec(instance.version ?? '')?.[1] ?? null;
}

export function mariadbEngine(instance: DatabaseInstance, options: Omit<ScriptOptions, 'pageBytes'>): EngineDescription {
  const series = seriesOf(instance);
  const { pageBytes } = instance.facts;
  return {
    name: `MariaDB ${series ?? 'of an unknown version'}`,
    program: 'mariadbd',
    guestFolders: FOLDERS,
    hostFolders: FOLDERS.slice(0, -1),
    fits: (text) => series !== null && text.includes(`Ver ${series}.`) && text.includes('MariaDB'),
    install: `install the package mariadb-server of this series`,
    parts: PARTS,
    leaveOut: (path) => LEFT_OUT.test(path),
    script: (scene) => engineScript(scene, { ...options, pageBytes: typeof pageBytes === 'number' ? pageBytes : null }),
    mark: MARK,
  };
}
