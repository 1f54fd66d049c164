/** Mapping (extents from the appliance, bytes from the image on the host) and copying through the appliance give identical bytes. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MappedSource } from '../../src/bytes/source.js';
import { applianceEnvironment } from '../../src/labs/acceleration.js';
import { ApplianceLab, type ApplianceSession, deviceName } from '../../src/labs/appliance/appliance.js';
import { ApplianceFiles } from '../../src/labs/appliance/guest-files.js';
import { ExposureLab, type ExposureSession } from '../../src/labs/exposure/exposure.js';
import { openSandbox } from '../../src/labs/sandbox/index.js';
import type { ByteMap, FileSystemType, GuestEntry, SnapshotImage, Volume } from '../../src/types.js';

const MIB = 1024 * 1024;
const DISK_BYTES = 400 * MIB;
const TYPES: FileSystemType[] = ['ext4', 'xfs', 'btrfs'];
const signal = new AbortController().signal;
const sandbox = openSandbox();
let folder: string;
let exposure: ExposureSession;
let appliance: ApplianceSession;

/** Files of every awkward kind: fragmented, sparse, preallocated, empty, tiny (inline), compressed, with hostile names. */
const POPULATE = `
fill() { head -c $2 /dev/urandom >"$1"; }
for t in ext4 xfs btrfs; do
  m=/tmp/$t; mkdir -p $m
  case $t in ext4) d=/dev/disk/guestfs/diska; mkfs.ext4 -q -O inline_data $d;; xfs) d=/dev/disk/guestfs/diskb; mkfs.xfs -q $d;; btrfs) d=/dev/disk/guestfs/diskc; mkfs.btrfs -q $d;; esac
  mount $d $m || exit 1
  fill $m/plain 3000001; : >$m/empty; fill $m/tiny 40
  truncate -s 5M $m/sparse; printf middle | dd of=$m/sparse bs=1 seek=3000000 conv=notrunc status=none
  fallocate -l 2M $m/preallocated; fill $m/preallocated.head 100000; dd if=$m/preallocated.head of=$m/preallocated conv=notrunc status=none
  mkdir "$m/with space"; fill "$m/with space/quote'\\"\\$(id)" 70000
  fill "$m/line
feed" 5000; fill $m/-dash 6000
  for i in 1 2 3 4 5 6 7 8; do fill $m/p$i 50000; head -c 50000 /dev/urandom >>$m/fragmented; sync; done
  ln -s plain $m/link
  [ $t = btrfs ] && { mkdir $m/z; btrfs property set $m/z compression zstd; yes text | head -c 900000 >$m/z/compressed; }
  umount $m || exit 1
done
sync`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapproof-test-'));
  const images = await Promise.all(TYPES.map((_, index) => blankDisk(`disk${index}`)));
  exposure = await new ExposureLab().open({ images, workFolder: folder, sandbox }, signal);
  const lab = new ApplianceLab();
  const disks = images.map((image) => exposure.overlaySocket(image.name));
  appliance = await lab.open(
    {
      disks,
      workFolder: folder,
      memoryMiB: 1280,
      scratchBytes: 1024 * MIB,
      environment: await applianceEnvironment(),
    },
    signal,
  );
  const made = await appliance.script(POPULATE, { timeoutMs: 120_000 });
  expect(made.stderr).toBe('');
});

afterAll(async () => {
  await appliance?.close();
  await exposure?.close();
  await sandbox.close();
  await rm(folder, { recursive: true, force: true });
});

async function blankDisk(name: string): Promise<SnapshotImage> {
  const path = join(folder, `${name}.raw`);
  await writeFile(path, '');
  await truncate(path, DISK_BYTES);
  const layer = { path, format: 'raw' as const, sizeBytes: DISK_BYTES, virtualSizeBytes: DISK_BYTES, promisedBytes: 0, backingPath: null, details: {} };
  return { name, format: 'raw', virtualSizeBytes: DISK_BYTES, layers: [layer], internalSnapshots: [], refused: null };
}

function volumeOf(type: FileSystemType, index: number): Volume {
  const disk = `disk${index}`;
  const placement = [{ offset: 0, lengthBytes: DISK_BYTES, disk, diskOffset: 0 }];
  const content = { kind: 'filesystem' as const, type, uuid: null, label: null };
  return { id: disk, device: deviceName(index), sizeBytes: DISK_BYTES, placement, partition: null, content, captureState: null };
}

test.each(TYPES.map((type, index) => [type, index] as const))('on %s', async (type, index) => {
  const volume = volumeOf(type, index);
  const mapped = await digests(new ApplianceFiles(appliance, exposure, [volume], true), volume.id);
  const copied = await digests(new ApplianceFiles(appliance, exposure, [volume], false), volume.id);
  const own = await appliance.script(
    `mkdir -p /tmp/o && mount -o ro ${volume.device} /tmp/o && cd /tmp/o && find . -type f -print0 | xargs -0 sha256sum -z | tr '\\0' '\\n'; cd /; umount /tmp/o`,
    { timeoutMs: 60_000 },
  );
  expect(mapped.size).toBeGreaterThan(15);
  const plain = (found: Awaited<ReturnType<typeof digests>>) => [...found].map(([path, { digest }]) => [path, digest]);
  const wrong = plain(mapped).filter(([path, digest]) => copied.get(path as string)?.digest !== digest);
  expect(wrong.map(([path]) => [path, mapped.get(path as string)?.map, copied.get(path as string)?.map])).toEqual([]);
  expect(plain(mapped)).toEqual(plain(copied));
  for (const [path, { digest }] of mapped) expect(own.stdout, path).toContain(digest);
  // The proof is empty if mapping fell back to copying: most files must have been read from the disk's overlay.
  const direct = [...mapped.values()].filter(({ map }) => map.sources.every((source) => source.kind === 'file' && !source.path.endsWith('scratch.raw')));
  expect(direct.length).toBeGreaterThan(10);
});

async function digests(files: ApplianceFiles, volume: string): Promise<Map<string, { digest: string; map: ByteMap }>> {
  const entries: GuestEntry[] = (await files.list({ volume, path: '/' }, { recursive: true })).filter((entry) => entry.type === 'file');
  const maps = await files.map(entries.map((entry) => entry.location));
  const result = new Map<string, { digest: string; map: ByteMap }>();
  for (const [i, entry] of entries.entries()) {
    const map = maps[i] as ByteMap;
    expect(map, entry.location.path).not.toBeNull();
    const source = new MappedSource(map);
    const digest = createHash('sha256')
      .update(await source.read(0, map.sizeBytes))
      .digest('hex');
    await source.close();
    result.set(entry.location.path, { digest, map });
  }
  return result;
}
