/** PostgreSQL as an engine that can be found, started and asked: by the labs, which know nothing of it. */
import { MARK } from '../../../src/engines/answer.js';
import type { EngineDescription } from '../../../src/labs/lab.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { engineScript, type ScriptOptions } from './script.js';

/** Debian and Ubuntu, Red Hat and SUSE, built from source, and what lies on everybody's path. */
function folders(version: string): string[] {
  return [
    `/usr/lib/postgresql/${version}/bin`,
    `/usr/pgsql-${version}/bin`,
    `/usr/lib/postgresql${version}/bin`,
    '/usr/local/pgsql/bin',
    '/usr/bin',
    '/usr/local/bin',
  ];
}

/**
 * Not needed for recovery, in no copy: what only people read, what a running server leaves, temporary files, and the guest's settings,
 * which may name things that this host has not. Tablespaces are linked in the copy already; with their map the server would link them anew,
 * to where they lay in the guest.
 */
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|tablespace_map|(postgresql|pg_hba|pg_ident)(\.auto)?\.conf|current_logfiles|(log|pg_log|pg_stat_tmp)\/.*|.*\/pgsql_tmp[^/]*\/.*|(.*\/)?core(\.\d+)?)$/;

export function postgresEngine(instance: DatabaseInstance, options: ScriptOptions): EngineDescription {
  const version = /^\d{1,2}(\.\d{1,2})?$/.test(instance.version ?? '') ? (instance.version as string) : 'of an unknown version';
  const wanted = new RegExp(`\\) ${version.replace('.', '\\.')}(\\D|$)`);
  return {
    name: `PostgreSQL ${version}`,
    program: 'postgres',
    guestFolders: folders(version),
    hostFolders: folders(version),
    fits: (text) => wanted.test(text),
    install: `with "apt-get install postgresql-${version}" it would`,
    leaveOut: (path) => LEFT_OUT.test(path),
    script: (scene) => engineScript(scene, options),
    mark: MARK,
  };
}
