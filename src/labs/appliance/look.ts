/** Mounts every file system of a guest read-only at a place of its own, and lists them: one script each, because every call costs. */
import { MappedSource } from '../../bytes/source.js';
import { LabError } from '../../errors.js';
import type { ByteMap, UntestedItem, Volume } from '../../types.js';
import { KEPT_PREFIX, shellQuote } from '../lab.js';
import type { ApplianceSession } from './appliance.js';
import { findCommand, parseListings, type VolumeListing } from './listing.js';
import { mountCommand } from './scripts.js';

const MOUNT_TIMEOUT_MS = 300_000;
const LIST_TIMEOUT_MS = 1_800_000;

/** Types the appliance's kernel and tools can mount. */
const MOUNTABLE = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'ntfs', 'fat', 'exfat', 'iso9660', 'squashfs', 'f2fs', 'hfs+', 'reiserfs', 'jfs']);

export function isMountable(volume: Volume): boolean {
  return volume.content.kind === 'filesystem' && MOUNTABLE.has(volume.content.type);
}

export interface Mounted {
  /** Mount place in the appliance by volume id. */
  places: Map<string, string>;
  unreadable: Map<string, UntestedItem>;
}

/** Mounting replays each log onto the overlay; afterwards everything is down on it. */
export async function mountForLooking(appliance: ApplianceSession, volumes: Volume[]): Promise<Mounted> {
  const wanted = volumes.filter(isMountable);
  const script = wanted.map((volume, index) => `{ ${mount(volume, place(index))}; } 2>/tmp/why && echo ok || { echo; base64 -w0 /tmp/why; echo; }`).join('\n');
  if (wanted.length === 0) return { places: new Map(), unreadable: new Map() };
  appliance.noteMounted();
  // What was kept is in memory as long as it is mounted somewhere.
  const release = `for place in ${KEPT_PREFIX}*; do if [ -d "$place" ]; then umount "$place" 2>/dev/null; rmdir "$place"; fi; done`;
  // Only asking for it brings what replay wrote out of the block server's own memory; a plain sync does not.
  const flush = `sync -- ${wanted.map((volume) => shellQuote(volume.device)).join(' ')}`;
  const result = await appliance.script(`${script}\n${release}\n${flush}`, { timeoutMs: MOUNT_TIMEOUT_MS });
  if (result.timedOut) throw new LabError({ code: 'appliance.mount-timeout', message: 'opening the file systems of the guest took too long' });
  return readAnswers(wanted, result.stdout.split('\n'));
}

function place(index: number): string {
  return `/snap/${index}`;
}

function mount(volume: Volume, at: string): string {
  const type = volume.content.kind === 'filesystem' ? volume.content.type : '';
  return mountCommand({ device: volume.device, type, subvolume: null }, at, 'read-only');
}

/** Per volume either `ok`, or an empty line and then the reason in base64. */
function readAnswers(wanted: Volume[], lines: string[]): Mounted {
  const mounted: Mounted = { places: new Map(), unreadable: new Map() };
  let line = 0;
  for (const [index, volume] of wanted.entries()) {
    if (lines[line++] === 'ok') {
      mounted.places.set(volume.id, place(index));
      continue;
    }
    const why = Buffer.from(lines[line++] ?? '', 'base64')
      .toString('utf8')
      .trim()
      .replaceAll(place(index), volume.id);
    mounted.unreadable.set(volume.id, { what: `files on ${volume.id}`, why: `its file system cannot be opened: ${why}`, holdsData: true });
  }
  return mounted;
}

/** The whole tree of every mounted volume. */
export async function listVolumes(appliance: ApplianceSession, places: Map<string, string>): Promise<Map<string, VolumeListing>> {
  if (places.size === 0) return new Map();
  return parseListings(await readAll(await appliance.stream(findCommand([...places.values()]), { timeoutMs: LIST_TIMEOUT_MS })), places);
}

export async function readAll(map: ByteMap): Promise<Buffer> {
  const source = new MappedSource(map);
  return source.read(0, source.sizeBytes).finally(() => source.close());
}
