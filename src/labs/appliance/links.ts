/** Symbolic links of a guest, followed inside the guest only, by its own mount table. */
import { posix } from 'node:path';
import type { GuestEntry, GuestLocation, OperatingSystem } from '../../types.js';

/** The kernel's own limit. */
const MAX_LINKS = 40;

/**
 * The place a path means after all links; null when it does not exist, loops, or leaves the restore point.
 * An absolute target is looked up from the root of the system in whose tree the link lies; on a volume that belongs to no
 * known system it is taken from that volume's own top.
 */
export async function followLinks(
  location: GuestLocation,
  systems: OperatingSystem[],
  stat: (place: GuestLocation) => Promise<GuestEntry | null>,
): Promise<GuestLocation | null> {
  let volume = location.volume;
  let done = '/';
  let rest = parts(location.path);
  for (let links = 0; rest.length > 0; ) {
    const [name, ...others] = rest as [string, ...string[]];
    rest = others;
    if (name === '..') {
      done = posix.dirname(done);
      continue;
    }
    const here = { volume, path: posix.join(done, name) };
    const entry = await stat(here);
    if (!entry) return null;
    if (entry.type !== 'symlink' || entry.target === null) {
      done = here.path;
      continue;
    }
    if (++links > MAX_LINKS) return null;
    if (!entry.target.startsWith('/')) {
      rest = [...parts(entry.target), ...rest];
      continue;
    }
    const next = fromSystemRoot(entry.target, volume, systems);
    if (!next) return null;
    volume = next.volume;
    done = '/';
    rest = [...parts(next.path), ...rest];
  }
  return { volume, path: done };
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Where an absolute guest path lies: the longest mount point that holds it. */
export function fromSystemRoot(path: string, linkVolume: string, systems: OperatingSystem[]): GuestLocation | null {
  const system =
    systems.find((candidate) => candidate.mounts.some((mount) => mount.location?.volume === linkVolume)) ?? (systems.length === 1 ? systems[0] : undefined);
  if (!system) return { volume: linkVolume, path: posix.normalize(path) };
  const clean = posix.normalize(path);
  const mount = [...system.mounts]
    .filter((candidate) => clean === candidate.mountPoint || clean.startsWith(candidate.mountPoint === '/' ? '/' : `${candidate.mountPoint}/`))
    .sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (!mount?.location) return null;
  return { volume: mount.location.volume, path: posix.join(mount.location.path, clean.slice(mount.mountPoint === '/' ? 0 : mount.mountPoint.length)) };
}
