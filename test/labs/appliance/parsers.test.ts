/** What the appliance prints, and what is sent to it: everything a guest can put into it is tried. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, LabError } from '../../../src/errors.js';
import { parseChunkTree, translateExtents } from '../../../src/labs/appliance/btrfs-chunks.js';
import { parseFilefrag } from '../../../src/labs/appliance/file-extents.js';
import { quoteArgument } from '../../../src/labs/appliance/guestfish.js';
import { runnerRequest } from '../../../src/labs/appliance/init.js';
import { parseListings, type VolumeListing } from '../../../src/labs/appliance/listing.js';
import { guestWrapper, mountCommand, printWords } from '../../../src/labs/appliance/scripts.js';
import { shellQuote } from '../../../src/labs/lab.js';

const noNul = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
/** Text with the words that the printers use, so that parsers get far into it. */
const printed = (...words: string[]) => fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 60 }).map((parts) => parts.join(''));

describe('an argument for guestfish', () => {
  it('is read back byte for byte', () => {
    fc.assert(
      fc.property(noNul, (text) => {
        const quoted = quoteArgument(text);
        expect(quoted).toMatch(/^"([A-Za-z0-9/._-]|\\x[0-9a-f]{2})*"$/);
        const bytes = quoted.slice(1, -1).replace(/\\x(..)|(.)/g, (_, hex: string | undefined, plain: string) => hex ?? plain.charCodeAt(0).toString(16));
        expect(Buffer.from(bytes, 'hex')).toEqual(Buffer.from(text));
      }),
    );
  });

  it('holds no NUL', () => {
    expect(() => quoteArgument('a\0b')).toThrow(LabError);
  });
});

describe('shell texts', () => {
  it('quote any word for a real shell', () => {
    const words = ["it's", '$(reboot)', '`id`', '"', '\\', '-n', 'a\nb', '', ' * ', "'; echo gone; '"];
    for (const word of words) expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word);
    fc.assert(fc.property(noNul, (word) => void expect(shellQuote(word).slice(1, -1).replaceAll("'\\''", '')).not.toContain("'")));
  });

  it('wait for one second at least', () => {
    expect(guestWrapper("echo 'x'", 1)).toMatch(/timeout -k 5 1 /);
    expect(runnerRequest(1)).toMatch(/^echo 1 /);
  });

  it('print words for a real shell, however many', () => {
    const words = ['a', "b'c", '$(reboot)', ...Array.from({ length: 20_000 }, (_, index) => `/some/folder/file-${index}`)];
    expect(execFileSync('bash', ['-s'], { input: printWords(words), encoding: 'utf8' })).toBe(words.map((word) => `${word}\0`).join(''));
  });

  it('mount a subvolume of the guest without room for more options', () => {
    expect(mountCommand({ device: '/dev/sda1', type: 'btrfs', subvolume: '@ x' }, '/sysroot', 'read-only')).toContain("'ro,nosuid,nodev,subvol=@ x'");
    expect(mountCommand({ device: '/dev/sda1', type: 'xfs', subvolume: null }, '/sysroot', 'writable')).toContain("'rw,nosuid,nodev,nouuid'");
  });
});

/** As filefrag 1.47 prints it. */
const FILEFRAG = `Filesystem type is: ef53
File size of a is 12288 (24 blocks of 512 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..       7:      66560..     66567:      8:
   1:        8..      15:      70000..     70007:      8:      66568: unwritten
   2:       16..      23:      80000..     80007:      8:      70008: last,eof
a: 3 extents found
File size of b is 5 (1 block of 512 bytes)
   0:        0..       7:          0..         7:      8:             last,not_aligned,inline,eof
b: 1 extent found
`;

describe('extents of files', () => {
  it('are read per file; what is stored otherwise is null', () => {
    expect(parseFilefrag(FILEFRAG, ['a', 'missing', 'b'])).toEqual([
      [
        { offset: 0, lengthBytes: 4096, deviceOffset: 66560 * 512 },
        { offset: 4096, lengthBytes: 4096, deviceOffset: null },
        { offset: 8192, lengthBytes: 4096, deviceOffset: 80000 * 512 },
      ],
      null,
      null,
    ]);
  });

  it('never mistake one file for another, whatever is printed', () => {
    const text = printed('File size of a is 1 (1 block of 512 bytes)\n', '   0:        0..       7:      1..     8:      8: last\n', '\n', 'last,inline');
    fc.assert(
      fc.property(text, (out) => {
        const answers = parseFilefrag(out, ['a', 'b']);
        expect(answers).toHaveLength(2);
        if (!out.includes('File size of b ')) expect(answers[1]).toBeNull();
      }),
    );
  });
});

/** As btrfs-progs 6.2 prints it. */
const CHUNKS = `dev_item.devid\t\t1
chunk tree
\titem 0 key (DEV_ITEMS DEV_ITEM 1) itemoff 16185 itemsize 98
\t\tdevid 1 total_bytes 268435456 bytes_used 92274688
\titem 1 key (FIRST_CHUNK_TREE CHUNK_ITEM 13631488) itemoff 16105 itemsize 80
\t\tlength 8388608 owner 2 stripe_len 65536 type DATA|single
\t\tio_align 65536 io_width 65536 sector_size 4096
\t\tnum_stripes 1 sub_stripes 1
\t\t\tstripe 0 devid 1 offset 13631488
\titem 2 key (FIRST_CHUNK_TREE CHUNK_ITEM 22020096) itemoff 15993 itemsize 112
\t\tlength 8388608 owner 2 stripe_len 65536 type METADATA|DUP
\t\t\tstripe 0 devid 1 offset 38797312
\t\t\tstripe 1 devid 1 offset 72351744
\titem 3 key (FIRST_CHUNK_TREE CHUNK_ITEM 30408704) itemoff 15993 itemsize 112
\t\tlength 8388608 owner 2 stripe_len 65536 type DATA|RAID0
\t\t\tstripe 0 devid 1 offset 99999744
`;

describe('chunks of btrfs', () => {
  const chunks = parseChunkTree(CHUNKS);

  it('are those with a plain copy on this device', () => {
    expect(chunks).toEqual([
      { logical: 13631488, lengthBytes: 8388608, deviceOffset: 13631488 },
      { logical: 22020096, lengthBytes: 8388608, deviceOffset: 38797312 },
    ]);
  });

  it('translate extents, across their borders too', () => {
    const across = { offset: 0, lengthBytes: 8192, deviceOffset: 22020096 - 4096 };
    expect(translateExtents([across], chunks)).toEqual([
      { offset: 0, lengthBytes: 4096, deviceOffset: 22020096 - 4096 },
      { offset: 4096, lengthBytes: 4096, deviceOffset: 38797312 },
    ]);
    expect(translateExtents([{ offset: 0, lengthBytes: 4096, deviceOffset: 30408704 }], chunks)).toBeNull();
    expect(translateExtents([{ offset: 0, lengthBytes: 4096, deviceOffset: null }], [])).toEqual([{ offset: 0, lengthBytes: 4096, deviceOffset: null }]);
  });

  it('come to an end on any text', () => {
    const text = printed(
      '\titem 1 key (FIRST_CHUNK_TREE CHUNK_ITEM 0) ',
      'length 0 owner 2 stripe_len 1 type DATA ',
      'stripe 0 devid 1 offset 5 ',
      'length 4096 owner 2 stripe_len 65536 type single ',
    );
    fc.assert(
      fc.property(text, fc.nat(9000), fc.nat(9000), (out, deviceOffset, lengthBytes) => {
        const translated = translateExtents([{ offset: 0, lengthBytes, deviceOffset }], parseChunkTree(out));
        expect(translated === null || translated.reduce((sum, extent) => sum + extent.lengthBytes, 0) === lengthBytes).toBe(true);
      }),
    );
  });
});

describe('the list of files', () => {
  const places = new Map([
    ['v', '/snap/0'],
    ['w', '/snap/1'],
  ]);
  const record = (path: string, type = 'f', target = '', place = '/snap/0') => [place, type, '5', '1700000000.5', '0', '0', '644', target, path].join('\0');
  const parseAll = (bytes: Uint8Array) => parseListings(Buffer.concat([bytes, Buffer.from('end\0')]), places);
  const parse = (...records: string[]) => parseAll(Buffer.from(records.map((text) => `${text}\0`).join(''))).get('v') as VolumeListing;

  it('is a tree, each folder before its content', () => {
    const listing = parse(record('b'), record('a', 'd'), record('a/x'), record('l', 'l', 'a/x'));
    expect(listing.below('/', true).map((entry) => entry.location.path)).toEqual(['/a', '/a/x', '/b', '/l']);
    expect(listing.get('/l')).toMatchObject({ type: 'symlink', target: 'a/x' });
    expect(listing.get('/b')).toMatchObject({ sizeBytes: 5, mode: 0o644, modifiedAt: '2023-11-14T22:13:20.500Z' });
  });

  it('keeps volumes apart', () => {
    const both = parseAll(Buffer.from(`${record('a')}\0${record('a', 'd', '', '/snap/1')}\0`));
    expect([both.get('v')?.get('/a')?.type, both.get('w')?.get('/a')?.type]).toEqual(['file', 'directory']);
  });

  it('takes any name, and no time that no calendar holds', () => {
    const name = 'a\nb\t"$(x)';
    expect(parse(record(name)).get(`/${name}`)).not.toBeNull();
    expect(parse(record('a').replace('1700000000.5', '9e99')).get('/a')?.modifiedAt).toBeNull();
  });

  it('is refused when it is cut short, and nothing else is thrown', () => {
    expect(() => parseAll(Buffer.from('f\x005\x00'))).toThrow(FormatError);
    expect(() => parseListings(Buffer.from(`${record('a')}\0`), places)).toThrow(FormatError);
    expect(() => parse(record('a', 'f', '', '/snap/7'))).toThrow(FormatError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          parseAll(bytes).get('v')?.below('/', true);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});
