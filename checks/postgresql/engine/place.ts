/** Where in the guest an instance and the programs that fit it lie. */
import { posix } from 'node:path';
import { NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance, GuestFiles, GuestLocation, Inspection, OperatingSystem } from '../../../src/types.js';

/** A guest's own engine and the cluster as that guest sees it. */
export interface EnginePlace {
  system: OperatingSystem;
  /** Paths as the guest sees them. */
  binaries: string;
  dataFolder: string;
}

/** The system that mounts the volume of the instance; null for a data disk without its system. */
export function systemOf(instance: DatabaseInstance, inspection: Inspection): OperatingSystem | null {
  return inspection.systems.find((system) => system.type === 'linux' && guestPath(instance.location, system) !== null) ?? null;
}

/** A place as a path of the guest; null when the system does not mount its volume there. */
export function guestPath(location: GuestLocation, system: OperatingSystem): string | null {
  for (const mount of system.mounts) {
    if (mount.location?.volume !== location.volume) continue;
    const inside = posix.relative(mount.location.path, location.path);
    if (inside !== '..' && !inside.startsWith('../')) return posix.join(mount.mountPoint, inside);
  }
  return null;
}

/** Debian and Ubuntu, Red Hat and SUSE, built from source, and what lies on everybody's path. */
function binaryFolders(version: string): string[] {
  return [
    `/usr/lib/postgresql/${version}/bin`,
    `/usr/pgsql-${version}/bin`,
    `/usr/lib/postgresql${version}/bin`,
    '/usr/local/pgsql/bin',
    '/usr/bin',
    '/usr/local/bin',
  ];
}

/** @throws NotTestedError when the restore point holds no engine that could run here. */
export async function findEngine(instance: DatabaseInstance, inspection: Inspection, files: GuestFiles): Promise<EnginePlace> {
  const system = systemOf(instance, inspection);
  const dataFolder = system && guestPath(instance.location, system);
  if (!system || dataFolder === null) throw untested('no operating system of this restore point mounts the disk of this cluster');
  if (system.arch !== 'x86_64') throw untested(`the guest's programs are for ${system.arch} and do not run here`);
  for (const folder of binaryFolders(instance.version ?? '')) {
    const place = await files.resolve(posixJoin(system.root, posix.join(folder, 'postgres')));
    if (place) return { system, binaries: folder, dataFolder };
  }
  throw untested(`the guest holds no PostgreSQL ${instance.version ?? ''} program`);
}

function posixJoin(root: GuestLocation, path: string): GuestLocation {
  return { volume: root.volume, path: posix.join(root.path, path) };
}

function untested(why: string): NotTestedError {
  return new NotTestedError({ code: 'postgresql.engine.none', message: `Recovery was not tried: ${why}.` });
}
