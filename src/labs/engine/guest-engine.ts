/** The guest's own engine: where its programs and the data lie as that guest sees them, and the run in the appliance. */
import { posix } from 'node:path';
import { LabError } from '../../errors.js';
import type { DatabaseInstance, GuestFiles, GuestLocation, OperatingSystem } from '../../types.js';
import type { Appliance, EngineRequest } from '../lab.js';

export interface GuestEngine {
  system: OperatingSystem;
  /** Paths as the guest sees them. */
  binaries: string;
  dataFolder: string;
  parts: Record<string, string>;
}

/** The system that mounts the volume of the instance; null for a data disk without its system. */
export function systemOf(instance: DatabaseInstance, systems: OperatingSystem[]): OperatingSystem | null {
  return systems.find((system) => system.type === 'linux' && guestPath(instance.location, system) !== null) ?? null;
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

/** The engine, or the words that say why there is none. */
export async function findGuestEngine(request: EngineRequest, files: GuestFiles): Promise<GuestEngine | string> {
  const { description, instance, systems } = request;
  const system = systemOf(instance, systems);
  const dataFolder = system && guestPath(instance.location, system);
  if (!system || dataFolder === null) return 'no operating system of this restore point mounts the disk of this database';
  if (system.arch !== 'x86_64') return `the guest's programs are for ${system.arch} and do not run here`;
  for (const binaries of description.guestFolders) {
    const path = posix.join(system.root.path, binaries, description.program);
    if (await files.resolve({ volume: system.root.volume, path })) return withParts({ system, binaries, dataFolder, parts: {} }, request);
  }
  return `the guest holds no ${description.name} program`;
}

function withParts(engine: GuestEngine, { description, instance }: EngineRequest): GuestEngine | string {
  for (const { what, location, target } of instance.links) {
    if (!description.parts?.includes(what)) continue;
    const path = location && guestPath(location, engine.system);
    if (!path) return `its ${what} (${target}) lies where no operating system of this restore point mounts it`;
    engine.parts[what] = path;
  }
  return engine;
}

/** What the script printed; null when the guest's programs cannot be run at all, and nothing was changed. */
export async function runInGuest(engine: GuestEngine, request: EngineRequest, appliance: Appliance): Promise<string | null> {
  const { description, timeoutMs } = request;
  await appliance.mountSystem(engine.system.mounts, 'writable');
  try {
    const { binaries, dataFolder, parts } = engine;
    const script = description.script({ binaries, dataFolder, parts, runFolder: '/run/snapproof', identity: 'root' });
    const result = await appliance.guestScript(script, { timeoutMs });
    if (result.timedOut) throw new LabError({ code: 'engine.timeout', message: `the guest's ${description.name} did not come to an end in time` });
    return result.stdout.includes(description.mark) ? result.stdout : null;
  } finally {
    await appliance.unmountAll();
  }
}
