import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SavedMemory } from '../../src/ways.js';
import { codesOf, pagesOf, withMemory } from './open-built.js';
import { be32, be64, buildStream, content, fill, item, named, PAGE, page, RUNNING } from './stream-builder.js';

const RAM = 'pc.ram';
const GIB = 2 ** 30;

async function pageAt(memory: SavedMemory, number: number): Promise<Buffer> {
  return (memory.ram as NonNullable<SavedMemory['ram']>).read(number * PAGE, PAGE);
}

const xbzrle = (block: string | null, address: number, changes: number[]) =>
  item(block, address, 0x40, Buffer.concat([Buffer.of(1), be32(changes.length).subarray(2), Buffer.from(changes)]));

describe('a migration stream', () => {
  it('is read whole: machine, RAM, run state', async () => {
    await withMemory(buildStream({ pages: [page(RAM, 0, content(1))] }), async ({ facts }) => {
      expect(facts).toMatchObject({ container: 'qemu-stream', compression: 'none', machineType: 'pc-q35-7.2', runState: 'running', complete: true });
      expect(facts).toMatchObject({ ramBytes: 16 * PAGE, findings: [], mappedPages: false });
      expect(facts.devices.map(({ name }) => name)).toEqual(['globalstate']);
    });
  });

  it('gives the last content of every page, and zeroes where nothing was written', async () => {
    const pages = [page(RAM, 0, content(1)), fill(null, PAGE, 0xaa), page(null, 2 * PAGE, content(2)), page(null, 0, content(3)), fill(null, 2 * PAGE, 0)];
    await withMemory(buildStream({ pages }), async (memory) => {
      expect((await pageAt(memory, 0)).equals(content(3))).toBe(true);
      expect((await pageAt(memory, 1)).every((byte) => byte === 0xaa)).toBe(true);
      expect((await pageAt(memory, 2)).every((byte) => byte === 0)).toBe(true);
      expect((await pageAt(memory, 15)).every((byte) => byte === 0)).toBe(true);
      const across = await memory.ram?.read(PAGE - 3, 6);
      expect(across?.equals(Buffer.concat([content(3).subarray(-3), Buffer.alloc(3, 0xaa)]))).toBe(true);
      await expect(memory.ram?.read(16 * PAGE - 1, 2)).rejects.toBeInstanceOf(RangeError);
    });
  });

  it('gives all pages that hold something in runs, in order of address', async () => {
    const pages = [
      page(RAM, 7 * PAGE, content(7)),
      page(null, PAGE, content(1)),
      fill(null, 3 * PAGE, 0),
      fill(null, 5 * PAGE, 9),
      page(null, 2 * PAGE, content(2)),
    ];
    await withMemory(buildStream({ pages }), async (memory) => {
      const found = await pagesOf(memory);
      expect(found.map(({ address, bytes }) => [address / PAGE, bytes.length / PAGE])).toEqual([
        [1, 2],
        [7, 1],
      ]);
      expect(found[0]?.bytes.equals(Buffer.concat([content(1), content(2)]))).toBe(true);
    });
  });

  it('puts pages together that were sent as changes, or compressed', async () => {
    const changed = content(1);
    Buffer.from('new').copy(changed, 300);
    changed[305] = 7;
    const zlib = deflateSync(content(4));
    const pages = [
      page(RAM, 0, content(1)),
      xbzrle(null, 0, [0x80 | (300 & 127), 300 >> 7, 3, ...Buffer.from('new')]),
      xbzrle(null, 0, [0x80 | (305 & 127), 305 >> 7, 1, 7]),
      item(null, PAGE, 0x100, Buffer.concat([be32(zlib.length), zlib])),
    ];
    await withMemory(buildStream({ pages }), async (memory) => {
      expect(memory.facts.complete).toBe(true);
      expect((await pageAt(memory, 0)).equals(changed)).toBe(true);
      expect((await pageAt(memory, 1)).equals(content(4))).toBe(true);
      expect((await pagesOf(memory)).map(({ bytes }) => bytes.length)).toEqual([2 * PAGE]);
    });
  });

  it.each([
    ['pc-q35-7.2', 3 * GIB, 2 * GIB],
    ['pc-q35-7.2', 0xb0000000 - PAGE, 0xb0000000 - PAGE],
    ['pc-i440fx-7.2', 4 * GIB, 3 * GIB],
    ['pc-i440fx-rhel7.6.0', 4 * GIB, 3 * GIB],
    ['pc-i440fx-1.7', 4 * GIB, 0xe0000000],
    ['pc-i440fx-7.2', 0xdffff000, 0xdffff000],
  ])('lays out the RAM of %s with %d bytes below %d and from 4 GiB on', async (machineType, sizeBytes, low) => {
    const pages = [page(RAM, low - PAGE, content(1)), ...(low < sizeBytes ? [page(null, low, content(2))] : [])];
    await withMemory(buildStream({ machineType, blocks: [{ name: RAM, sizeBytes }], pages }), async (memory) => {
      const ranges = [{ address: 0, lengthBytes: low }, ...(low < sizeBytes ? [{ address: 4 * GIB, lengthBytes: sizeBytes - low }] : [])];
      expect(memory.ram?.ranges).toEqual(ranges);
      const found = await pagesOf(memory);
      expect(found.map(({ address }) => address)).toEqual([low - PAGE, ...(low < sizeBytes ? [4 * GIB] : [])]);
    });
  });

  it('joins the RAM of NUMA nodes, and knows no place for other machines', async () => {
    const blocks = [1, 0].map((node) => ({ name: `/objects/ram-node${node}`, sizeBytes: 8 * PAGE }));
    const pages = [page('/objects/ram-node1', 0, content(1))];
    await withMemory(buildStream({ blocks, pages }), async (memory) => {
      expect(memory.ram?.ranges).toEqual([{ address: 0, lengthBytes: 16 * PAGE }]);
      expect((await pageAt(memory, 8)).equals(content(1))).toBe(true);
    });
    await withMemory(buildStream({ machineType: 'virt-7.2' }), async (memory) => {
      expect(memory.ram).toBeNull();
      expect(memory.facts.complete).toBe(true);
      expect(codesOf(memory)).toEqual(['memory.ram-layout']);
    });
  });

  it('passes what capabilities of the migration add to the list of blocks and to the configuration', async () => {
    const capabilities = Buffer.concat([Buffer.of(5), named('configuration/capabilities'), be32(1), be32(1), named('x-ignore-shared')]);
    const uuid = Buffer.concat([Buffer.of(5), named('configuration/uuid'), be32(1), Buffer.alloc(16, 5)]);
    const blocks = [
      { name: RAM, sizeBytes: 4 * PAGE, extra: be64(2 ** 21) },
      { name: 'pc.bios', sizeBytes: PAGE, extra: be64(2 ** 32 - 2 ** 18) },
    ];
    await withMemory(buildStream({ configuration: Buffer.concat([capabilities, uuid]), blocks }), async ({ facts }) => {
      expect(facts.complete).toBe(true);
      expect(facts.blocks.map(({ name }) => name)).toEqual([RAM, 'pc.bios']);
    });
  });

  it('with pages of another size is not followed, and nothing is wrong with it', async () => {
    const bits = (count: number) => Buffer.concat([Buffer.of(5), named('configuration/target-page-bits'), be32(1), be32(count)]);
    await withMemory(buildStream({ configuration: bits(16) }), async ({ facts }) => {
      expect(facts).toMatchObject({ container: 'unread', findings: [] });
      expect(facts.why).toMatch(/pages of 65536 bytes/);
    });
    await withMemory(buildStream({ configuration: bits(12) }), async ({ facts }) => expect(facts.complete).toBe(true));
  });

  it('is read without footers and description, as old machine types save it', async () => {
    await withMemory(buildStream({ footers: false }), async ({ facts }) => expect(facts).toMatchObject({ complete: true, runState: 'running' }));
    await withMemory(buildStream({ description: false }), async (memory) => {
      expect(memory.facts).toMatchObject({ complete: true, runState: null });
      expect(memory.facts.devices.map(({ name }) => name)).toEqual(['globalstate']);
      expect(codesOf(memory)).toEqual(['memory.stream.no-description']);
    });
  });

  it('says what follows its end, and gives only the stream to the machine', async () => {
    const stream = buildStream();
    await withMemory(Buffer.concat([stream, Buffer.alloc(5000, 6)]), async (memory) => {
      expect(memory.facts.complete).toBe(true);
      expect(codesOf(memory)).toEqual(['memory.stream.trailing']);
      const given: Buffer[] = [];
      for await (const chunk of memory.stream()) given.push(chunk as Buffer);
      expect(Buffer.concat(given).equals(stream)).toBe(true);
    });
  });

  it('is found cut wherever it is cut', async () => {
    const devices = [RUNNING, { name: 'cpu_common', fields: [{ name: 'halted', type: 'uint32', bytes: be32(1) }] }];
    const stream = buildStream({ pages: [page(RAM, 0, content(1)), fill(null, PAGE, 3)], devices });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: stream.length - 1 }), async (length) => {
        await withMemory(stream.subarray(0, length), async ({ facts }) => {
          // Without a whole description it still ends where the sections end.
          const described = length > stream.lastIndexOf(Buffer.of(0, 6));
          expect(facts.complete && !described).toBe(false);
          expect(facts.complete || facts.container === 'unread' || facts.findings.some(({ severity }) => severity === 'critical')).toBe(true);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('never throws and never takes long, whatever is overwritten in it', async () => {
    const stream = buildStream({ pages: [page(RAM, 0, content(1)), fill(null, PAGE, 3), xbzrle(null, 0, [5, 1, 1])] });
    const change = fc.tuple(fc.nat(stream.length - 1), fc.uint8Array({ minLength: 1, maxLength: 9 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const damaged = Buffer.from(stream);
        for (const [at, bytes] of changes) damaged.set(bytes.subarray(0, damaged.length - at), at);
        await withMemory(damaged, async (memory) => {
          expect(memory.facts.findings.length).toBeLessThan(100);
          await pagesOf(memory).catch((error: Error) => expect(error.message).toMatch(/page/));
        });
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('what is wrong in a stream is found with its place', () => {
  it.each([
    ['a page outside of its block', [page(RAM, 16 * PAGE, content(1))], 'memory.stream.page-outside'],
    ['a page of a block that is not listed', [page('pc.rom', 0, content(1))], 'memory.stream.page-outside'],
    ['no page where one must stand', [be64(0x1000)], 'memory.stream.garbled'],
    ['two kinds of page at once', [be64(0x0a)], 'memory.stream.garbled'],
    ['a second list of blocks', [be64(0x1004)], 'memory.stream.garbled'],
    ['changes without a possible length', [item(RAM, 0, 0x40, Buffer.of(1, 0xff, 0xff))], 'memory.stream.garbled'],
  ])('%s', async (_, pages, code) => {
    await withMemory(buildStream({ pages }), async (memory) => {
      expect(memory.facts.complete).toBe(false);
      expect(codesOf(memory)).toContain(code);
      expect(memory.facts.findings[0]?.where.offset).toBeGreaterThan(0);
    });
  });

  it('a footer of another section', async () => {
    const stream = buildStream();
    stream.writeUInt32BE(99, stream.indexOf(Buffer.concat([Buffer.of(0x7e), be32(10)])) + 1);
    await withMemory(stream, async (memory) => {
      expect(memory.facts.complete).toBe(false);
      expect(codesOf(memory)).toContain('memory.stream.footer');
    });
  });

  it('a description that contradicts its section is told, and the section is read on', async () => {
    const devices = [
      { ...RUNNING, statedBytes: 90 },
      { name: 'after', fields: [{ name: 'x', type: 'uint32', bytes: be32(1) }] },
    ];
    await withMemory(buildStream({ devices }), async (memory) => {
      expect(memory.facts.complete).toBe(true);
      expect(codesOf(memory)).toEqual(['memory.stream.description']);
      expect(memory.facts.devices.map(({ name }) => name)).toEqual(['globalstate', 'after']);
    });
  });

  it('RAM that no machine has', async () => {
    await withMemory(buildStream({ blocks: [{ name: RAM, sizeBytes: 2 ** 50 }] }), async (memory) => expect(codesOf(memory)).toEqual(['memory.stream.size']));
  });

  it('pages strewn over more RAM than a short stream can fill do not fill the memory of the host', async () => {
    const pages = Array.from({ length: 12_000 }, (_, i) => fill(i === 0 ? RAM : null, i * 2 ** 23, 1));
    await withMemory(buildStream({ blocks: [{ name: RAM, sizeBytes: 2 ** 40 }], pages }), async (memory) =>
      expect(codesOf(memory)).toEqual(['memory.stream.size']),
    );
  });
});

describe('mapped-ram', () => {
  it('reads pages from their own places, and gives no stream for it', async () => {
    const head = 8 + 1 + 4 + 10 + (1 + 4 + 4 + 4 + 4) + 8 + (1 + 6) + 8;
    const bitmapOffset = head + 28;
    const mapped = Buffer.concat([be32(1), be64(PAGE), be64(bitmapOffset), be64(bitmapOffset + 8), Buffer.of(0b101, 0, 0, 0, 0, 0, 0, 0)]);
    const pages = Buffer.concat([content(1), content(9), content(3), Buffer.alloc(13 * PAGE)]);
    const blocks = [{ name: RAM, sizeBytes: 16 * PAGE, extra: Buffer.concat([mapped, pages]) }];
    await withMemory(buildStream({ blocks }), async (memory) => {
      expect(memory.facts).toMatchObject({ complete: true, mappedPages: true, findings: [] });
      expect((await pagesOf(memory)).map(({ address, bytes }) => [address / PAGE, bytes.length])).toEqual([
        [0, PAGE],
        [2, PAGE],
      ]);
      expect((await pageAt(memory, 1)).every((byte) => byte === 0)).toBe(true);
      expect((await pageAt(memory, 2)).equals(content(3))).toBe(true);
      expect(() => memory.stream()).toThrow(/mapped-ram/);
    });
  });
});
