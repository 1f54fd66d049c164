import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { volumeFixtures } from '../../fixtures/volumes/build.js';
import { damagedCopy, overwrite } from '../../fixtures/volumes/damage.js';
import { FileSource } from '../../src/bytes/source.js';
import type { CaptureState } from '../../src/types.js';
import { readCaptureState } from '../../src/volumes/capture-state.js';
import { crc32c } from '../../src/volumes/checksums.js';
import { identifyContent } from '../../src/volumes/content/identify.js';

let images = '';
let folder = '';
const image = (name: string) => join(images, `${name}.img`);

beforeAll(async () => {
  images = await volumeFixtures();
  folder = await mkdtemp(join(tmpdir(), 'snapproof-state-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function stateOf(path: string): Promise<CaptureState | null> {
  const source = await FileSource.open(path);
  try {
    return await readCaptureState(source, await identifyContent(source));
  } finally {
    await source.close();
  }
}

/** Text of a host tool that knows the format; its exit code says nothing. */
async function told(tool: string, ...args: string[]): Promise<string> {
  const result = await execa(tool, args, { reject: false, all: true });
  if (result.code === 'ENOENT') throw new Error(`${tool} is missing: the ground truth cannot be read`);
  return result.all;
}

describe('ext4, against dumpe2fs and debugfs', () => {
  test.each([
    ['live', 'needs-replay'],
    ['frozen', 'frozen'],
    ['clean', 'quiesced'],
  ])('%s is %s', async (name, state) => {
    const path = image(`ext4-${name}`);
    const read = await stateOf(path);
    const truth = await told('dumpe2fs', '-h', path);
    expect(read?.state).toBe(state);
    expect(read?.facts.needsRecovery).toBe(/Filesystem features:.*needs_recovery/.test(truth));
    expect(read?.facts.firstOrphanInode).toBe(Number(/First orphan inode: +(\d+)/.exec(truth)?.[1] ?? 0));
    expect(read?.facts.journalStart).toBe(Number(/Journal start: +(\d+)/.exec(truth)?.[1]));
    expect(read?.facts.journalSequence).toBe(Number(/Journal sequence: +(0x[0-9a-f]+)/.exec(truth)?.[1]));
    expect(read?.facts.lastMountedOn).toBe(/Last mounted on: +(\S+)/.exec(truth)?.[1]);
  });

  test('the length of the log is what debugfs walks', async () => {
    const read = await stateOf(image('ext4-live'));
    const truth = await told('debugfs', '-R', 'logdump', image('ext4-live'));
    const end = Number(/No magic number at block (\d+)/.exec(truth)?.[1]);
    expect(read?.facts.logTransactions).toBe((truth.match(/commit block/g) ?? []).length);
    expect(read?.facts.logBytes).toBe((end - 1) * 1024);
  });

  test('a superblock that says no replay while the journal holds transactions is damage', async () => {
    const path = await damagedCopy(image('ext4-live'), join(folder, 'cleared.img'), 0, 0);
    await told('debugfs', '-w', '-R', 'feature -needs_recovery', path);
    expect(await stateOf(path)).toMatchObject({ state: 'damaged', why: expect.stringContaining('journal holds transactions') });
  });

  test('errors that the guest recorded are damage', async () => {
    const path = await damagedCopy(image('ext4-clean'), join(folder, 'errors.img'), 0, 0);
    await told('debugfs', '-w', '-R', 'set_super_value state 2', path);
    expect(await stateOf(path)).toMatchObject({ state: 'damaged', facts: { markedErrors: true } });
  });

  test('an overwritten superblock, journal inode or journal is damage', async () => {
    const flipped = await damagedCopy(image('ext4-live'), join(folder, 'superblock.img'), 1024 + 0x90, 8);
    expect(await stateOf(flipped)).toMatchObject({ state: 'damaged', why: expect.stringContaining('checksum') });
    const inodeBlock = Number(/located at block (\d+)/.exec(await told('debugfs', '-R', 'imap <8>', image('ext4-live')))?.[1]);
    const inodes = await damagedCopy(image('ext4-live'), join(folder, 'inodes.img'), inodeBlock * 1024, 4096);
    expect(await stateOf(inodes)).toMatchObject({ state: 'damaged', why: expect.stringContaining('journal') });
  });

  test('an orphan file in use, captured frozen', async () => {
    const path = await damagedCopy(image('ext4-clean'), join(folder, 'orphan-file.img'), 0, 0);
    await told('tune2fs', '-O', 'orphan_file', path);
    expect((await stateOf(path))?.facts.orphanFile).toBe(true);
    await told('debugfs', '-w', '-R', 'feature orphan_present', path);
    expect((await stateOf(path))?.state).toBe('frozen');
  });

  test('an external journal is said', async () => {
    const journal = join(folder, 'journal.img');
    await execa('truncate', ['-s', '16M', journal]);
    await told('mke2fs', '-q', '-F', '-O', 'journal_dev', journal);
    expect(await stateOf(journal)).toMatchObject({ state: 'unknown', why: expect.stringContaining('external journal') });
  });
});

describe('XFS, against xfs_logprint', () => {
  test.each([
    ['live', 'needs-replay'],
    ['frozen', 'frozen'],
    ['clean', 'clean'],
  ])('%s is %s', async (name, state) => {
    const read = await stateOf(image(`xfs-${name}`));
    const truth = /log tail: (\d+) head: (\d+) state: <(\w+)>/.exec(await told('xfs_logprint', '-t', image(`xfs-${name}`)));
    expect(read?.state).toBe(state);
    expect(read?.facts.logHead).toBe(Number(truth?.[2]));
    if (truth?.[3] === 'DIRTY') expect(read?.facts).toMatchObject({ logTail: Number(truth[1]), logBytes: (Number(truth[2]) - Number(truth[1])) * 512 });
    else expect(read?.facts.logBytes).toBe(0);
  });

  test('a real change among the copies of the superblock is no frozen log', async () => {
    const log = /daddr: (\d+)/.exec(await told('xfs_logprint', '-t', image('xfs-frozen')));
    const read = await stateOf(image('xfs-frozen'));
    const at = Number(log?.[1]) * 512 + Number(read?.facts.logTail) * 512 + 600;
    expect((await stateOf(await damagedCopy(image('xfs-frozen'), join(folder, 'x1.img'), at, 16)))?.state).toBe('needs-replay');
  });

  test('an overwritten superblock or log is damage', async () => {
    expect(await stateOf(await damagedCopy(image('xfs-live'), join(folder, 'x2.img'), 300, 8))).toMatchObject({ state: 'damaged' });
    const start = Number(/daddr: (\d+)/.exec(await told('xfs_logprint', '-t', image('xfs-live')))?.[1]) * 512;
    const path = await damagedCopy(image('xfs-live'), join(folder, 'x3.img'), start, 2 * 1024 * 1024, 0);
    expect(await stateOf(path)).toMatchObject({ state: 'damaged', why: expect.stringContaining('no record') });
  });

  test('a mark that repair is needed is damage', async () => {
    const path = await damagedCopy(image('xfs-clean'), join(folder, 'x4.img'), 0, 0);
    const source = await FileSource.open(path);
    const superblock = await source.read(0, 512);
    await source.close();
    superblock.writeUInt32BE(superblock.readUInt32BE(216) | 0x10, 216);
    superblock.writeUInt32LE(0, 224);
    superblock.writeUInt32LE(crc32c(superblock), 224);
    await overwrite(path, 0, superblock);
    expect(await told('xfs_db', '-r', '-c', 'version', path)).toContain('NEEDSREPAIR');
    expect(await stateOf(path)).toMatchObject({ state: 'damaged', facts: { needsRepair: true } });
  });
});

test.each(['ext4-clean', 'xfs-clean'])('%s with its first superblock gone is still known, and damaged', async (name) => {
  const path = await damagedCopy(image(name), join(folder, `lost-${name}.img`), 0, 4096, 0);
  expect(await stateOf(path)).toMatchObject({ state: 'damaged', why: expect.stringContaining('superblock') });
});

describe('btrfs, against btrfs inspect-internal', () => {
  test.each([
    ['live', 'needs-replay'],
    ['frozen', 'quiesced'],
    ['clean', 'quiesced'],
  ])('%s is %s', async (name, state) => {
    const read = await stateOf(image(`btrfs-${name}`));
    const truth = await told('btrfs', 'inspect-internal', 'dump-super', image(`btrfs-${name}`));
    expect(read?.state).toBe(state);
    expect(read?.facts.generation).toBe(Number(/^generation\s+(\d+)/m.exec(truth)?.[1]));
    expect(read?.facts.logRoot).toBe(Number(/^log_root\s+(\d+)/m.exec(truth)?.[1]));
  });

  test('a damaged primary is damage, a damaged mirror is told', async () => {
    expect((await stateOf(await damagedCopy(image('btrfs-clean'), join(folder, 'b1.img'), 65536 + 200, 8)))?.state).toBe('damaged');
    expect(await stateOf(await damagedCopy(image('btrfs-clean'), join(folder, 'b2.img'), 65536 * 1024 + 200, 8))).toMatchObject({
      state: 'quiesced',
      facts: { damagedCopies: 1 },
    });
  });
});

describe('NTFS, FAT and exFAT', () => {
  test('NTFS: clean as formatted, dirty mark, damaged $Volume', async () => {
    expect(await stateOf(image('ntfs'))).toMatchObject({ state: 'clean', facts: { dirty: false, logFile: 'empty', ntfsVersion: '3.1' } });
    const volumeRecord = 4 * 4096 + 3 * 1024;
    expect((await stateOf(await damagedCopy(image('ntfs'), join(folder, 'n1.img'), volumeRecord, 64)))?.state).toBe('damaged');
  });

  test('FAT16: bit 15 of FAT[1] cleared while in use', async () => {
    const path = join(folder, 'fat.img');
    await execa('truncate', ['-s', '64M', path]);
    await execa('mkfs.fat', ['-F', '16', path]);
    expect(await stateOf(path)).toMatchObject({ state: 'clean', facts: { fatBits: 16 } });
    const source = await FileSource.open(path);
    const boot = await source.read(0, 512);
    await source.close();
    await overwrite(path, boot.readUInt16LE(14) * boot.readUInt16LE(11) + 2, Buffer.from('ff7f', 'hex'));
    expect(await stateOf(path)).toMatchObject({ state: 'unknown', facts: { dirty: true, inUse: true } });
  });

  test('FAT32: the byte in the boot sector', async () => {
    const path = join(folder, 'fat32.img');
    await execa('truncate', ['-s', '64M', path]);
    await execa('mkfs.fat', ['-F', '32', '-s', '1', path]);
    expect(await stateOf(path)).toMatchObject({ state: 'clean', facts: { fatBits: 32 } });
    await overwrite(path, 0x41, Buffer.from([1]));
    expect(await stateOf(path)).toMatchObject({ facts: { dirty: true, inUse: true } });
    await overwrite(path, 0x41, Buffer.from([2]));
    expect(await stateOf(path)).toMatchObject({ state: 'damaged', facts: { mediaFailure: true } });
  });

  test('exFAT: VolumeFlags', async () => {
    const path = join(folder, 'exfat.img');
    await execa('truncate', ['-s', '32M', path]);
    await execa('mkfs.exfat', [path]);
    expect(await stateOf(path)).toMatchObject({ state: 'clean' });
    await overwrite(path, 106, Buffer.from([2]));
    expect(await stateOf(path)).toMatchObject({ state: 'unknown', facts: { dirty: true, inUse: true } });
    await overwrite(path, 106, Buffer.from([4]));
    expect(await stateOf(path)).toMatchObject({ state: 'damaged' });
  });
});
