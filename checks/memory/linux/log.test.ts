import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { number64, TestKernel } from '../testing/kernel.js';
import { findKernel } from './find-kernel.js';
import { readLog } from './log.js';
import type { KernelLog } from './log-record.js';

const INFO = [
  ...['OFFSET(printk_ringbuffer.desc_ring)=0', 'OFFSET(printk_ringbuffer.text_data_ring)=48', 'OFFSET(prb_desc_ring.count_bits)=0'],
  ...['OFFSET(prb_desc_ring.descs)=8', 'OFFSET(prb_desc_ring.infos)=16', 'OFFSET(prb_desc_ring.head_id)=24', 'OFFSET(prb_desc_ring.tail_id)=32'],
  ...['SIZE(prb_desc)=24', 'OFFSET(prb_desc.state_var)=0', 'OFFSET(prb_desc.text_blk_lpos)=8', 'OFFSET(prb_data_blk_lpos.begin)=0'],
  ...['OFFSET(prb_data_blk_lpos.next)=8', 'SIZE(printk_info)=88', 'OFFSET(printk_info.ts_nsec)=8', 'OFFSET(printk_info.text_len)=16'],
  ...['OFFSET(prb_data_ring.size_bits)=0', 'OFFSET(prb_data_ring.data)=8'],
];
const COUNT_BITS = 5;
const SIZE_BITS = 10;

interface Written {
  text: string;
  facility?: number;
  /** Default: 2, finalized. */
  state?: bigint;
}

/** The ring as the kernel fills it: numbers and places rise, and what does not fit before the end begins anew at the start. */
function ringOf(messages: Written[]): TestKernel {
  const [count, size] = [2 ** COUNT_BITS, 2 ** SIZE_BITS];
  const descriptors = Buffer.alloc(count * 24);
  const facts = Buffer.alloc(count * 88);
  const text = Buffer.alloc(size);
  let place = 0;
  messages.forEach((message, id) => {
    const length = Math.ceil((8 + message.text.length) / 8) * 8;
    const begin = place;
    let from = place % size;
    if (from + length > size) {
      place += size - from;
      from = 0;
    }
    place += length;
    text.writeBigUInt64LE(BigInt(id), from);
    text.write(message.text, from + 8);
    const at = id % count;
    descriptors.writeBigUInt64LE(((message.state ?? 2n) << 62n) | BigInt(id), at * 24);
    descriptors.writeBigUInt64LE(BigInt(begin), at * 24 + 8);
    descriptors.writeBigUInt64LE(BigInt(place), at * 24 + 16);
    facts.writeBigUInt64LE(BigInt(id) * 1_500_000_000n, at * 88 + 8);
    facts.writeUInt16LE(message.text.length, at * 88 + 16);
    facts.writeUInt8(message.facility ?? 0, at * 88 + 18);
  });
  const last = messages.length - 1;
  const info = [...INFO];
  const kernel = new TestKernel({ info });
  const ring = Buffer.alloc(88);
  ring.writeUInt32LE(COUNT_BITS, 0);
  ring.writeUInt32LE(SIZE_BITS, 48);
  const address = kernel.place(ring);
  kernel.writePointer(address + 8n, kernel.place(descriptors));
  kernel.writePointer(address + 16n, kernel.place(facts));
  kernel.writePointer(address + 24n, BigInt(last));
  kernel.writePointer(address + 32n, BigInt(Math.max(0, last - count + 1)));
  kernel.writePointer(address + 56n, kernel.place(text));
  info.push(`SYMBOL(prb)=${kernel.place(number64(address)).toString(16)}`);
  return kernel.finish();
}

async function logOf(made: TestKernel): Promise<KernelLog | null> {
  const { kernel, why } = await findKernel(made.ram, [], [made.infoPage]);
  if (!kernel) throw new Error(why);
  return readLog(kernel);
}

describe('the ring of 5.10 and later', () => {
  it('is read with times and facilities', async () => {
    const log = await logOf(ringOf([{ text: 'Linux version 6.1' }, { text: 'from a program', facility: 1 }]));
    expect(log).toEqual({
      layout: 'ring',
      records: [
        { seconds: 0, facility: 0, text: 'Linux version 6.1' },
        { seconds: 1.5, facility: 1, text: 'from a program' },
      ],
    });
  });

  it('leaves out what is being written, and what was overwritten', async () => {
    const texts = Array.from({ length: 50 }, (_, id) => ({ text: `message ${id} of a ring that went round`, ...(id === 49 ? { state: 0n } : {}) }));
    const records = (await logOf(ringOf(texts)))?.records ?? [];
    expect(records.at(-1)?.text).toBe('message 48 of a ring that went round');
    expect(records.map(({ text }) => text)).toEqual(texts.slice(50 - records.length - 1, 49).map(({ text }) => text));
    expect(records.length).toBeGreaterThan(10);
  });

  it('gives printable lines only', async () => {
    const log = await logOf(ringOf([{ text: 'a\x1b[31m\nb\0c' }]));
    expect(log?.records[0]?.text).toBe('a [31m b c');
  });

  it('is read or not, whatever bytes are broken', async () => {
    const made = ringOf(Array.from({ length: 20 }, (_, id) => ({ text: `message ${id}` })));
    const whole = Buffer.from(made.ram.bytes);
    const from = 16 * 1024 * 1024 + 4096;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 30 }), async (changes) => {
        whole.copy(made.ram.bytes);
        for (const [at, value] of changes) made.ram.bytes[from + at] = value;
        const { kernel } = await findKernel(made.ram, [], [made.infoPage]);
        for (const { text } of (kernel && (await readLog(kernel)))?.records ?? []) expect(text.length).toBeLessThanOrEqual(1024);
      }),
      { numRuns: 40 },
    );
  });
});

const RECORD_INFO = [
  'SIZE(printk_log)=16',
  'OFFSET(printk_log.ts_nsec)=0',
  'OFFSET(printk_log.len)=8',
  'OFFSET(printk_log.text_len)=10',
  'OFFSET(printk_log.dict_len)=12',
];

function oldKernel(buffer: Buffer, numbers: Record<string, number>, info: string[]): TestKernel {
  const lines = [...info];
  const kernel = new TestKernel({ info: lines, release: '3.10.0-1160.el7.x86_64' });
  const symbol = (name: string, bytes: Buffer) => lines.push(`SYMBOL(${name})=${kernel.place(bytes).toString(16)}`);
  symbol('log_buf', number64(kernel.place(buffer)));
  for (const [name, value] of Object.entries({ log_buf_len: buffer.length, ...numbers })) symbol(name, number64(BigInt(value)));
  return kernel.finish();
}

describe('the records of 3.5 to 5.9', () => {
  it('are read across the end of the buffer', async () => {
    const buffer = Buffer.alloc(1024);
    const record = (at: number, seconds: number, text: string): number => {
      const length = Math.ceil((16 + text.length) / 8) * 8;
      buffer.writeBigUInt64LE(BigInt(seconds) * 1_000_000_000n, at);
      buffer.writeUInt16LE(length, at + 8);
      buffer.writeUInt16LE(text.length, at + 10);
      buffer.write(text, at + 16);
      return at + length;
    };
    record(960, 7, 'the last before the end');
    const next = record(0, 8, 'the first after it');
    const log = await logOf(oldKernel(buffer, { log_first_idx: 960, log_next_idx: next }, RECORD_INFO));
    expect(log?.layout).toBe('records');
    expect(log?.records.map(({ seconds, text }) => [seconds, text])).toEqual([
      [7, 'the last before the end'],
      [8, 'the first after it'],
    ]);
  });

  it('end where they make no sense', async () => {
    const buffer = Buffer.alloc(1024, 1);
    expect(await logOf(oldKernel(buffer, { log_first_idx: 0, log_next_idx: 512 }, RECORD_INFO))).toBeNull();
    expect(await logOf(oldKernel(Buffer.alloc(1024), { log_first_idx: 8, log_next_idx: 512 }, RECORD_INFO))).toBeNull();
  });
});

it('reads the plain text of kernels before 3.5', async () => {
  const buffer = Buffer.alloc(1024, ' ');
  const older = '<6>[    1.000000] Linux version 2.6.32\n';
  const newer = '<1>[   99.500000] BUG: unable to handle kernel paging request at 1\n';
  buffer.write(older, 1024 - older.length);
  buffer.write(newer, 0);
  const log = await logOf(oldKernel(buffer, { log_end: 1024 * 3 + newer.length }, []));
  expect(log).toEqual({
    layout: 'text',
    records: [
      { seconds: 1, facility: 0, text: 'Linux version 2.6.32' },
      { seconds: 99.5, facility: 0, text: 'BUG: unable to handle kernel paging request at 1' },
    ],
  });
});
