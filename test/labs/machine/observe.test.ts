import { mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { characterOf } from '../../../src/labs/machine/observe/code-page.js';
import { diskLooks } from '../../../src/labs/machine/observe/disk-statistics.js';
import { GuestMemory, parseRamRanges, samplePages } from '../../../src/labs/machine/observe/guest-memory.js';
import { isBlank, type Pixels, parsePpm } from '../../../src/labs/machine/observe/pixels.js';
import { Sparing } from '../../../src/labs/machine/observe/sparing.js';
import { clockDriftMs, interruptCount, JitCounter } from '../../../src/labs/machine/observe/statistics.js';
import { findText, mayBeText, textOf } from '../../../src/labs/machine/observe/text-screen.js';
import { refusal, wordsOf } from '../../../src/labs/machine/refusal.js';
import { troubleOf } from '../../../src/labs/machine/trouble.js';

describe('a question that costs the guest time', () => {
  /** Whose clock goes on by so much while it is answered. */
  const asking = (costMs: number) => {
    const state = { now: 0, asked: 0 };
    const sparing = new Sparing(
      async () => {
        state.now += costMs;
        return ++state.asked;
      },
      () => state.now,
    );
    return { state, sparing };
  };

  it('is asked for a twenty-fifth of the time at most', async () => {
    const { state, sparing } = asking(40);
    while (state.now < 20_000) {
      await sparing.get();
      state.now += 100;
    }
    expect(state.asked).toBeGreaterThan(15);
    expect(state.asked * 40).toBeLessThanOrEqual(20_000 / 25);
  });

  it('gives the last answer meanwhile, for two seconds at most', async () => {
    const { state, sparing } = asking(10_000);
    expect(await sparing.get()).toBe(1);
    state.now += 1_999;
    expect(await sparing.get()).toBe(1);
    state.now += 1;
    expect(await sparing.get()).toBe(2);
  });

  it('that costs nothing is asked every time', async () => {
    const { sparing } = asking(0);
    expect([await sparing.get(), await sparing.get()]).toEqual([1, 2]);
  });
});

describe('the tables of QEMU', () => {
  const table = (blocks: number, flushes: number) =>
    `Translation buffer state:\nTB count            ${blocks}\n\nStatistics:\nTB flush count      2\nTLB full flushes    0\nTLB partial flushes ${flushes}\nTLB elided flushes  5\n`;

  it('count code that never shrinks', () => {
    const counter = new JitCounter();
    expect(counter.read(table(100, 10))).toEqual({ blocks: 100, flushes: 15 });
    expect(counter.read(table(150, 20))).toEqual({ blocks: 150, flushes: 25 });
    expect(counter.read(table(7, 30)), 'the buffer was emptied').toEqual({ blocks: 157, flushes: 35 });
    expect(counter.read('')).toBeNull();
  });

  it('say how far a clock has run ahead', () => {
    expect(clockDriftMs(`${table(1, 1)}Host - Guest clock  -12345 ms\n`)).toBe(-12345);
    expect(clockDriftMs('Host - Guest clock  7 ms')).toBe(7);
    expect(clockDriftMs(table(1, 1))).toBeNull();
  });

  it('count interrupts of all controllers', () => {
    expect(interruptCount('IRQ statistics for ioapic:\n 0: 12\n 4: 3\nIRQ statistics for isa-i8259:\n 0: 1\n')).toBe(16);
    expect(interruptCount('IRQ statistics for ioapic:\n')).toBe(0);
    expect(interruptCount('')).toBeNull();
  });

  it('name disks by their overlays', () => {
    const stats = {
      rd_operations: 1,
      wr_operations: 2,
      rd_bytes: 3,
      wr_bytes: 4,
      flush_operations: 5,
      failed_rd_operations: 6,
      failed_wr_operations: 7,
      failed_flush_operations: 8,
    };
    expect(diskLooks(['disk0', 'gone'], [{ stats }, { 'node-name': 'disk0-overlay', stats }], new Map([['disk0', 9]]))).toEqual([
      { disk: 'disk0', reads: 1, writes: 2, readBytes: 3, writtenBytes: 4, flushes: 5, failed: 21, pending: 9 },
    ]);
  });
});

const TREE = `FlatView #0
 AS "mch", root: bus master container
 Root memory region: (none)

FlatView #1
 AS "memory", root: system
 Root memory region: system
  0000000000000000-000000000009ffff (prio 0, ram): pc.ram
  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem
  00000000000c0000-00000000000c9fff (prio 0, rom): pc.ram @00000000000c0000
  0000000000100000-00000000bfffffff (prio 0, ram): pc.ram @0000000000100000
  00000000fd000000-00000000fdffffff (prio 1, ram): vga.vram
  0000000100000000-000000013fffffff (prio 0, ram): pc.ram @00000000c0000000

FlatView #2
 AS "cpu-smm-0", root: memory
  0000000000000000-00000000000bffff (prio 0, ram): pc.ram
`;

describe('guest memory', () => {
  it('lies where QEMU says', () => {
    expect(parseRamRanges(TREE)).toEqual([
      { address: 0, lengthBytes: 0xa0000, fileOffset: 0 },
      { address: 0x100000, lengthBytes: 0xbff00000, fileOffset: 0x100000 },
      { address: 0x100000000, lengthBytes: 0x40000000, fileOffset: 0xc0000000 },
    ]);
    expect(parseRamRanges('')).toEqual([]);
  });

  it('is sampled all over, at the same places each time', () => {
    const pages = samplePages(parseRamRanges(TREE));
    expect(pages).toHaveLength(4096);
    expect(pages).toEqual(samplePages(parseRamRanges(TREE)));
    expect(new Set(pages).size).toBe(4096);
    expect([...pages].sort((a, b) => a - b)).toEqual(pages);
    const widest = Math.max(...pages.map((offset, index) => offset - (pages[index - 1] ?? 0)));
    expect(widest).toBeLessThan((2 * 2 ** 32) / 4096 + 2 ** 20);
    expect(samplePages([{ address: 0, lengthBytes: 8192, fileOffset: 0 }])).toEqual([0, 4096]);
  });

  it('is read, and compared page by page', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sp-memory-'));
    const path = join(folder, 'ram');
    const bytes = Buffer.alloc(0x110000, 1);
    writeFileSync(path, bytes);
    const memory = new GuestMemory(path, [{ address: 0x100000, lengthBytes: 0x10000, fileOffset: 0x100000 }]);
    onTestFinished(() => {
      memory.close();
      rmSync(folder, { recursive: true });
    });
    expect(memory.compare()).toBeNull();
    expect(memory.compare()).toEqual({ changed: 0, sampled: 16 });
    const file = openSync(path, 'r+');
    for (const offset of [0x100000, 0x100001, 0x10ffff]) writeSync(file, Buffer.from([9]), 0, 1, offset);
    expect(memory.compare()).toEqual({ changed: 2, sampled: 16 });
    expect(memory.compare()).toEqual({ changed: 0, sampled: 16 });
    expect(memory.read(0x10fff8, 8)?.at(-1)).toBe(9);
    expect(memory.read(0xb8000, 100), 'only QEMU can tell').toBeNull();
    expect(() => memory.read(0x10ffff, 2)).toThrow(RangeError);
  });
});

/** Draws what VGA would: every character that shows anything as a cell of two colours. */
function draw(columns: number, rows: number, text: string[], cellWidth = 9, cellHeight = 16): { pixels: Pixels; cells: Buffer } {
  const [width, height] = [columns * cellWidth, rows * cellHeight];
  const rgb = Buffer.alloc(width * height * 3);
  const cells = Buffer.alloc(columns * rows * 2);
  for (let cell = 0; cell < columns * rows; cell++) {
    const code = text[Math.floor(cell / columns)]?.charCodeAt(cell % columns) || 0x20;
    cells.set([code, 0x07], cell * 2);
    const x = (cell % columns) * cellWidth;
    if (code !== 0x20)
      rgb.fill(0xaa, ((Math.floor(cell / columns) * cellHeight + 3) * width + x + 1) * 3, ((Math.floor(cell / columns) * cellHeight + 3) * width + x + 5) * 3);
  }
  return { pixels: { width, height, rgb }, cells };
}

describe('the text of the screen', () => {
  it.each([
    [80, 25, 9, 16],
    [80, 50, 9, 8],
    [40, 25, 8, 16],
    [132, 25, 8, 16],
  ])('is found wherever it begins, %i x %i', (columns, rows, cellWidth, cellHeight) => {
    const { pixels, cells } = draw(columns, rows, ['Debian GNU/Linux 12 tty1', '', 'login:'], cellWidth, cellHeight);
    const window = Buffer.alloc(0x8000, Buffer.from([0x41, 0x07]));
    const start = Math.min(3 * columns * 2, Math.floor((0x8000 - cells.length) / (columns * 2)) * columns * 2);
    cells.copy(window, start);
    const found = findText(pixels, window);
    expect(found).toMatchObject({ columns, rows });
    expect(found && textOf(found)).toBe('Debian GNU/Linux 12 tty1\n\nlogin:');
  });

  it('is found with a cursor in it', () => {
    const { pixels, cells } = draw(80, 25, ['login:']);
    pixels.rgb.fill(0xaa, (14 * 720 + 63) * 3, (14 * 720 + 72) * 3);
    const window = Buffer.concat([cells, Buffer.alloc(0x8000 - cells.length)]);
    const found = findText(pixels, window);
    expect(found && textOf(found)).toBe('login:');
  });

  it('is none in a graphics mode', () => {
    const { pixels } = draw(80, 25, Array(25).fill('x x xx  xxx x xx x x x x x'));
    expect(findText(pixels, Buffer.alloc(0x8000))).toBeNull();
    for (const [width, height] of [
      [640, 480],
      [800, 600],
      [1024, 768],
      [1280, 800],
      [1920, 1080],
    ] as const) {
      expect(mayBeText({ width, height, rgb: Buffer.alloc(0) }), `${width} x ${height}`).toBe(false);
    }
  });

  it('has the characters of a PC', () => {
    expect([0x00, 0x01, 0x41, 0x7e, 0x7f, 0x80, 0xb3, 0xdb, 0xe1, 0xff].map(characterOf).join('')).toBe(' ☺A~⌂Ç│█ß ');
  });
});

describe('pixels', () => {
  it('are read from a PPM', () => {
    const pixels = parsePpm(Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([1, 2, 3, 1, 2, 3])]));
    expect(pixels).toEqual({ width: 2, height: 1, rgb: Buffer.from([1, 2, 3, 1, 2, 3]) });
    expect(isBlank(pixels)).toBe(true);
    expect(isBlank({ ...pixels, rgb: Buffer.from([1, 2, 3, 1, 2, 4]) })).toBe(false);
  });

  it('cost nothing but a FormatError when the file is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.string().map((text) => Buffer.from(`P6\n${text}`)),
          fc.constant(Buffer.from('P6\n16384 16384\n255\n')),
        ),
        (bytes) => {
          try {
            const { width, height, rgb } = parsePpm(Buffer.from(bytes));
            expect(rgb.length).toBe(width * height * 3);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
    );
  });
});

describe("QEMU's last words", () => {
  it.each([
    [
      'qemu-system-x86_64: Unknown ramblock "0000:00:05.0/e1000.rom", cannot accept migration\nqemu-system-x86_64: load of migration failed: Operation not permitted',
      'machine.refused',
    ],
    ['qemu-system-x86_64: Size mismatch: pc.ram: 0x28000000 != 0x20000000: Invalid argument\nqemu-system-x86_64: error while loading state', 'machine.refused'],
    ['qemu-system-x86_64: load of migration failed: Input/output error', 'machine.refused'],
    ["qemu-system-x86_64: -device foo: 'foo' is not a valid device model name", 'machine.refused'],
    ['', 'machine.refused'],
    ['qemu-system-x86_64: virtio-net: saved image requires vnet_hdr=on\nqemu-system-x86_64: load of migration failed: Invalid argument', 'machine.card'],
    ['qemu-system-x86_64: Features 0x130afffa7 unsupported. Allowed features: 0x179bf8064', 'machine.card'],
    ["qemu-system-x86_64: -blockdev {}: Could not open '/x': Permission denied", 'machine.start'],
    ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", 'machine.start'],
    ['qemu-system-x86_64: Could not access KVM kernel module: No such file or directory', 'machine.start'],
    ['bwrap: Creating new namespace failed', 'machine.start'],
  ])('%j is %s', (stderr, code) => {
    expect(refusal('the memory', stderr, 1).code).toBe(code);
  });

  it('mean nothing when it was killed', () => {
    expect(refusal('the memory', '', 137)).toMatchObject({ code: 'machine.start', message: expect.stringContaining('killed') });
  });

  it('are given without warnings', () => {
    expect(wordsOf('qemu-system-x86_64: warning: nic e1000.0 has no peer\nqemu-system-x86_64: bad\n')).toBe('bad');
  });
});

describe('trouble', () => {
  const error = (data: object) => troubleOf({ event: 'BLOCK_IO_ERROR', data: { 'node-name': 'disk1-overlay', ...data } }, 1000);
  it('is told from what a guest does', () => {
    expect(error({ operation: 'write', reason: 'File too large' })).toMatchObject({ kind: 'overlay-limit', disk: 'disk1' });
    expect(error({ operation: 'write', reason: 'No space left on device', nospace: true })).toMatchObject({ kind: 'host-disk' });
    expect(error({ operation: 'read', reason: 'Input/output error' })).toMatchObject({ kind: 'captured-disk' });
    expect(troubleOf({ event: 'BLOCK_IMAGE_CORRUPTED', data: { 'node-name': 'disk0-l0', msg: 'x' } }, 1)).toMatchObject({
      kind: 'captured-disk',
      disk: 'disk0',
    });
    expect(troubleOf({ event: 'RESET', data: {} }, 1)).toBeNull();
  });
});
