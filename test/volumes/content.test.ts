import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { FormatError } from '../../src/errors.js';
import { readCaptureState } from '../../src/volumes/capture-state.js';
import { crc32, crc32c } from '../../src/volumes/checksums.js';
import { identifyContent } from '../../src/volumes/content/identify.js';
import { parseMetadataText } from '../../src/volumes/lvm/metadata-text.js';

const MEBIBYTE = 1024 * 1024;

/** A volume of zeroes with some bytes set. */
function volume(parts: [number, string | Buffer][], sizeBytes = MEBIBYTE): BufferSource {
  const buffer = Buffer.alloc(sizeBytes);
  for (const [offset, bytes] of parts) Buffer.from(bytes as string, 'latin1').copy(buffer, offset);
  return new BufferSource(buffer);
}

const hex = (digits: string) => Buffer.from(digits, 'hex');

describe('identifyContent', () => {
  test.each([
    ['iso9660', [[32769, 'CD001']]],
    ['squashfs', [[0, 'hsqs']]],
    ['apfs', [[32, 'NXSB']]],
    ['hfs+', [[1024, hex('482b0004')]]],
    ['f2fs', [[1024, hex('1020f5f2')]]],
    ['reiserfs', [[65588, 'ReIsEr2Fs']]],
    ['jfs', [[32768, 'JFS1']]],
    ['ufs', [[65536 + 1372, hex('19015419')]]],
    ['zfs', [[128 * 1024, hex('0cb1ba0000000000')]]],
    ['refs', [[3, 'ReFS\0\0\0\0']]],
  ] as [string, [number, string | Buffer][]][])('%s', async (type, parts) => {
    expect(await identifyContent(volume(parts))).toMatchObject({ kind: 'filesystem', type });
  });

  test('BitLocker', async () => expect(await identifyContent(volume([[3, '-FVE-FS-']]))).toMatchObject({ kind: 'encrypted', scheme: 'bitlocker' }));

  test('swap, hibernated or not, with pages of 4 and 64 KiB', async () => {
    expect(await identifyContent(volume([[4086, 'SWAPSPACE2']]))).toMatchObject({ kind: 'swap', hibernated: false });
    expect(await identifyContent(volume([[65526, 'SWAPSPACE2']]))).toMatchObject({ kind: 'swap', hibernated: false });
    expect(await identifyContent(volume([[4086, 'S1SUSPEND\0']]))).toMatchObject({ kind: 'swap', hibernated: true });
  });

  test('empty only when start, end and samples are zeroes', async () => {
    expect(await identifyContent(volume([], 64 * MEBIBYTE))).toEqual({ kind: 'empty' });
    for (const place of [0, 5000, 32 * MEBIBYTE, 64 * MEBIBYTE - 1]) {
      expect((await identifyContent(volume([[place, 'x']], 64 * MEBIBYTE))).kind, String(place)).toBe('unknown');
    }
  });

  test('data nobody knows is unknown, unless its partition type says boot code', async () => {
    const data = volume([[0, 'boot code']]);
    expect(await identifyContent(data)).toMatchObject({ kind: 'unknown', firstBytesHex: expect.stringMatching(/^626f6f74/) });
    expect(await identifyContent(data, '21686148-6449-6E6F-744E-656564454649')).toEqual({ kind: 'boot-code', what: 'BIOS boot partition' });
  });
});

/** Bytes that lead into every parser: a magic, then noise around the fields it reads. */
const SEEDS: [number, Buffer][][] = [
  [[1024 + 0x38, hex('53ef')]],
  [
    [0, Buffer.from('XFSB\x00\x00\x10\x00', 'latin1')],
    [102, hex('0200')],
  ],
  [[65536 + 0x40, Buffer.from('_BHRfS_M')]],
  [[0, Buffer.from('\xebR\x90NTFS    \x00\x02\x08', 'latin1')]],
  [[0, hex('eb3c906d6b66732e66617400020401000200020000f8')]],
  [[3, Buffer.from('EXFAT   ')]],
  [
    [512, Buffer.from('LABELONE')],
    [536, Buffer.from('LVM2 001')],
  ],
  [[4096, hex('fc4e2ba901000000')]],
  [[0, hex('4c554b53babe0001')]],
];

test('whatever the bytes, identification and state end without an error', async () => {
  const noise = fc.array(fc.tuple(fc.nat(70_000), fc.uint8Array({ minLength: 1, maxLength: 64 })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SEEDS), noise, fc.integer({ min: 0, max: 200_000 }), async (seed, patches, sizeBytes) => {
      const buffer = Buffer.alloc(Math.max(sizeBytes, 1), 0);
      for (const [offset, bytes] of [...patches, ...seed]) Buffer.from(bytes).copy(buffer, Math.min(offset, buffer.length));
      const source = new BufferSource(buffer);
      const content = await identifyContent(source);
      await readCaptureState(source, content);
    }),
    { numRuns: 1500 },
  );
});

test('an XFS superblock whose log lies nowhere is damaged', async () => {
  const parts: [number, Buffer][] = [
    [0, Buffer.from('XFSB\x00\x00\x10\x00', 'latin1')],
    [48, hex('ffffffffffffffff')],
    [96, hex('00000010')],
    [100, hex('00040200')],
    [124, hex('ff')],
  ];
  const state = await readCaptureState(volume(parts), { kind: 'filesystem', type: 'xfs', uuid: null, label: null });
  expect(state).toMatchObject({ state: 'damaged', why: expect.stringContaining('log') });
});

test.each(['ext4', 'xfs', 'btrfs', 'ntfs', 'fat', 'exfat'] as const)('%s: a state can be asked of any bytes', async (type) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 9000 }), async (bytes) => {
      const state = await readCaptureState(new BufferSource(Buffer.from(bytes)), { kind: 'filesystem', type, uuid: null, label: null });
      expect(state?.why).not.toBe('');
    }),
    { numRuns: 200 },
  );
});

describe('LVM metadata text', () => {
  test('sections, values, lists, comments and escapes', () => {
    const text = 'vg { # a comment\nid = "a\\"b"\nseqno = 3\nflags = ["X", "Y"]\nempty = []\ninner { n = -1 } }\ncontents = "Text"';
    expect(JSON.parse(JSON.stringify(parseMetadataText(text)))).toEqual({
      vg: { id: 'a"b', seqno: 3, flags: ['X', 'Y'], empty: [], inner: { n: -1 } },
      contents: 'Text',
    });
  });

  test.each(['a {', 'a =', 'a = [1', '= 1', 'a = }', `${'a {'.repeat(40)}`])('%s is refused', (text) => {
    expect(() => parseMetadataText(text)).toThrow(FormatError);
  });

  test('any text gives a section or a FormatError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '{', '}', '[', ']', '=', '"', '\\', ' ', '\n', '#', ',', '1') }), (text) => {
        try {
          parseMetadataText(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('checksums have their published check values', () => {
  expect(crc32c(Buffer.from('123456789')).toString(16)).toBe('e3069283');
  expect(crc32(Buffer.from('123456789')).toString(16)).toBe('cbf43926');
});
