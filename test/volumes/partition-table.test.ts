import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { crc32 } from '../../src/volumes/checksums.js';
import { readPartitionTable } from '../../src/volumes/partitions/partition-table.js';

const DISK_BYTES = 1024 * 1024;
const LINUX = Buffer.from('af3dc60f838472478e793d69d8477de4', 'hex');

interface Entry {
  first: number;
  last: number;
}

/** A disk with a protective MBR and both copies of a GPT. */
function gptDisk(entries: Entry[], sectorBytes = 512): Buffer {
  const disk = Buffer.alloc(DISK_BYTES);
  mbrEntry(disk, 0, 0, 0xee, 1, DISK_BYTES / 512 - 1);
  const table = Buffer.alloc(128 * 128);
  for (const [i, { first, last }] of entries.entries()) {
    LINUX.copy(table, i * 128);
    table.writeUInt8(i + 1, i * 128 + 16);
    table.writeBigUInt64LE(BigInt(first), i * 128 + 32);
    table.writeBigUInt64LE(BigInt(last), i * 128 + 40);
    table.write(`part ${i + 1}`, i * 128 + 56, 'utf16le');
  }
  const lastSector = DISK_BYTES / sectorBytes - 1;
  const tableSectors = table.length / sectorBytes;
  writeHeader(disk, { own: 1, other: lastSector, table: 2, sectorBytes }, table);
  writeHeader(disk, { own: lastSector, other: 1, table: lastSector - tableSectors, sectorBytes }, table);
  return disk;
}

function writeHeader(disk: Buffer, place: { own: number; other: number; table: number; sectorBytes: number }, table: Buffer): void {
  const header = Buffer.alloc(92);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(BigInt(place.own), 24);
  header.writeBigUInt64LE(BigInt(place.other), 32);
  header.writeUInt8(7, 56);
  header.writeBigUInt64LE(BigInt(place.table), 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(table), 88);
  header.writeUInt32LE(crc32(header), 16);
  table.copy(disk, place.table * place.sectorBytes);
  header.copy(disk, place.own * place.sectorBytes);
}

function mbrEntry(disk: Buffer, recordSector: number, slot: number, type: number, first: number, sectors: number): void {
  const at = recordSector * 512 + 446 + slot * 16;
  disk.writeUInt8(type, at + 4);
  disk.writeUInt32LE(first, at + 8);
  disk.writeUInt32LE(sectors, at + 12);
  disk.writeUInt16LE(0xaa55, recordSector * 512 + 510);
}

const read = (disk: Buffer) => readPartitionTable('disk0', new BufferSource(disk));
const codes = async (disk: Buffer) => (await read(disk)).table.findings.map(({ severity, code }) => `${severity} ${code}`);
const SOUND = [
  { first: 100, last: 199 },
  { first: 200, last: 399 },
];

describe('GPT', () => {
  test('sound: partitions with place, type and name, and no finding', async () => {
    const { table, partitions } = await read(gptDisk(SOUND));
    expect(table).toEqual({ disk: 'disk0', scheme: 'gpt', findings: [] });
    expect(partitions).toEqual([
      {
        number: 1,
        type: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
        uuid: expect.stringMatching(/^[0-9A-F-]{36}$/),
        name: 'part 1',
        offset: 51200,
        lengthBytes: 51200,
      },
      {
        number: 2,
        type: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
        uuid: expect.stringMatching(/^[0-9A-F-]{36}$/),
        name: 'part 2',
        offset: 102400,
        lengthBytes: 102400,
      },
    ]);
  });

  test('sectors of 4096 bytes', async () => {
    const { partitions } = await read(gptDisk([{ first: 20, last: 29 }], 4096));
    expect(partitions[0]).toMatchObject({ offset: 20 * 4096, lengthBytes: 10 * 4096 });
    expect(await codes(gptDisk([{ first: 20, last: 29 }], 4096))).toEqual([]);
  });

  test('a damaged primary header is a warning, and the backup is used', async () => {
    const disk = gptDisk(SOUND);
    disk.writeUInt8(0xff, 512 + 40);
    expect(await codes(disk)).toEqual(['warning partition-table.gpt-primary-damaged']);
    expect((await read(disk)).partitions).toHaveLength(2);
  });

  test('damaged primary entries are found by their checksum', async () => {
    const disk = gptDisk(SOUND);
    disk.writeUInt8(0xff, 1024 + 32);
    expect(await codes(disk)).toEqual(['warning partition-table.gpt-primary-damaged']);
  });

  test('the first mebibyte wiped: the backup is used', async () => {
    const disk = gptDisk(SOUND).fill(0, 0, 20 * 1024);
    expect((await read(disk)).partitions).toHaveLength(2);
  });

  test('both copies damaged: the table is lost', async () => {
    const disk = gptDisk(SOUND);
    disk.writeUInt8(0xff, 512 + 40);
    disk.writeUInt8(0xff, DISK_BYTES - 512 + 40);
    expect(await codes(disk)).toEqual(['critical partition-table.gpt-lost']);
  });

  test('a disk cut off at its end: backup gone, partitions beyond the end', async () => {
    const disk = gptDisk([{ first: 100, last: 1900 }]).subarray(0, DISK_BYTES / 2);
    expect(await codes(disk)).toEqual(['warning partition-table.gpt-backup-damaged', 'critical partition-table.beyond-end']);
  });

  test('copies that differ', async () => {
    const disk = gptDisk(SOUND);
    gptDisk([{ first: 100, last: 150 }]).copy(disk, DISK_BYTES - 512 * 33, DISK_BYTES - 512 * 33);
    expect(await codes(disk)).toEqual(['warning partition-table.gpt-copies-differ']);
  });

  test('overlapping partitions', async () => {
    expect(
      await codes(
        gptDisk([
          { first: 100, last: 300 },
          { first: 200, last: 399 },
        ]),
      ),
    ).toEqual(['warning partition-table.overlap']);
  });

  test('a header that claims a table of gigabytes is damaged, not read', async () => {
    const disk = gptDisk(SOUND);
    for (const at of [512, DISK_BYTES - 512]) {
      disk.writeUInt32LE(0xffffffff, at + 80);
      disk.writeUInt32LE(0, at + 16);
      disk.writeUInt32LE(crc32(disk.subarray(at, at + 92)), at + 16);
    }
    expect(await codes(disk)).toEqual(['critical partition-table.gpt-lost']);
  });
});

describe('MBR', () => {
  test('primary and logical partitions', async () => {
    const disk = Buffer.alloc(DISK_BYTES);
    mbrEntry(disk, 0, 0, 0x83, 10, 20);
    mbrEntry(disk, 0, 1, 0x05, 100, 500);
    mbrEntry(disk, 100, 0, 0x83, 2, 50);
    mbrEntry(disk, 100, 1, 0x05, 60, 100);
    mbrEntry(disk, 160, 0, 0x82, 2, 40);
    const { table, partitions } = await read(disk);
    expect(table).toMatchObject({ scheme: 'mbr', findings: [] });
    expect(partitions.map(({ number, type, offset }) => [number, type, offset / 512])).toEqual([
      [1, '0x83', 10],
      [5, '0x83', 102],
      [6, '0x82', 162],
    ]);
  });

  test('a chain in a circle ends, and is critical', async () => {
    const disk = Buffer.alloc(DISK_BYTES);
    mbrEntry(disk, 0, 0, 0x0f, 100, 500);
    mbrEntry(disk, 100, 1, 0x05, 60, 100);
    mbrEntry(disk, 160, 1, 0x05, 60, 100);
    expect(await codes(disk)).toEqual(['critical partition-table.logical-chain']);
  });

  test('a partition beyond the end is critical', async () => {
    const disk = Buffer.alloc(DISK_BYTES);
    mbrEntry(disk, 0, 0, 0x83, 10, 4096);
    expect(await codes(disk)).toEqual(['critical partition-table.beyond-end']);
  });

  test('no table: the whole disk is one volume', async () => {
    expect(await read(Buffer.alloc(DISK_BYTES))).toEqual({ table: { disk: 'disk0', scheme: 'none', findings: [] }, partitions: [] });
  });
});

test('whatever the bytes, reading ends without an error', async () => {
  const damage = fc.array(fc.tuple(fc.nat(DISK_BYTES - 1), fc.nat(255)), { maxLength: 40 });
  const nearTables = fc.array(fc.tuple(fc.integer({ min: 440, max: 1200 }), fc.nat(255)), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(damage, nearTables, fc.nat(DISK_BYTES)), async ([far, near, length]) => {
      const disk = gptDisk(SOUND);
      for (const [at, value] of [...far, ...near]) disk.writeUInt8(value, at);
      const { table } = await read(disk.subarray(0, length));
      return table.disk === 'disk0';
    }),
    { numRuns: 300 },
  );
});
