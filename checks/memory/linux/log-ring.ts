/**
 * The kernel's log since 5.10: a ring of descriptors, a ring of facts beside it, and a ring of text.
 * Layout: the comments of the ring buffer in the kernel's documentation of printk; offsets: vmcoreinfo (admin-guide/kdump/vmcoreinfo.rst).
 */
import { type KernelLog, type LogRecord, logText, MAX_LOG_BYTES } from './log-record.js';
import type { VirtualMemory } from './page-tables.js';
import type { VmcoreInfo } from './vmcoreinfo.js';

const MAX_COUNT_BITS = 18;
const ID_BITS = 62n;
const ID_MASK = (1n << ID_BITS) - 1n;
const COMMITTED = 1n;
const FINALIZED = 2n;
/** Both ends of a block are odd when it holds no text. */
const WITHOUT_DATA = 1n;
const ID_BYTES = 8;

interface Layout {
  offset(name: string): number;
  size(name: string): number;
}

interface TextRing {
  bytes: Buffer;
  sizeBits: bigint;
}

interface DescriptorRing {
  count: number;
  descriptors: Buffer;
  facts: Buffer;
  head: bigint;
  tail: bigint;
}

/** Null when there is no such ring, or it makes no sense. */
export async function readLogRing(memory: VirtualMemory, info: VmcoreInfo): Promise<KernelLog | null> {
  const symbol = info.symbols.get('prb');
  const layout = layoutOf(info);
  const ring = symbol === undefined || !layout ? null : await memory.pointer(symbol);
  if (ring === null || !layout) return null;
  const text = await readTextRing(memory, ring + BigInt(layout.offset('printk_ringbuffer.text_data_ring')), layout);
  const descriptors = await readDescriptors(memory, ring + BigInt(layout.offset('printk_ringbuffer.desc_ring')), layout);
  return text && descriptors ? { layout: 'ring', records: readRecords(descriptors, text, layout) } : null;
}

const OFFSETS = [
  ...['printk_ringbuffer.desc_ring', 'printk_ringbuffer.text_data_ring', 'prb_desc_ring.count_bits', 'prb_desc_ring.descs', 'prb_desc_ring.infos'],
  ...['prb_desc_ring.head_id', 'prb_desc_ring.tail_id', 'prb_desc.state_var', 'prb_desc.text_blk_lpos', 'prb_data_blk_lpos.begin'],
  ...['prb_data_blk_lpos.next', 'printk_info.ts_nsec', 'printk_info.text_len', 'prb_data_ring.size_bits', 'prb_data_ring.data'],
];
const SIZES = ['prb_desc', 'printk_info'];

function layoutOf({ offsets, sizes }: VmcoreInfo): Layout | null {
  const sound = (value: number | undefined) => value !== undefined && value >= 0 && value <= 4096;
  if (!OFFSETS.every((name) => sound(offsets.get(name))) || !SIZES.every((name) => sound(sizes.get(name)))) return null;
  return { offset: (name) => offsets.get(name) ?? 0, size: (name) => sizes.get(name) ?? 0 };
}

async function readTextRing(memory: VirtualMemory, ring: bigint, { offset }: Layout): Promise<TextRing | null> {
  const bits = await memory.read(ring + BigInt(offset('prb_data_ring.size_bits')), 4);
  const data = await memory.pointer(ring + BigInt(offset('prb_data_ring.data')));
  const sizeBits = bits?.readUInt32LE(0) ?? 0;
  if (data === null || sizeBits < 10 || 2 ** sizeBits > MAX_LOG_BYTES) return null;
  const bytes = await memory.read(data, 2 ** sizeBits);
  return bytes && { bytes, sizeBits: BigInt(sizeBits) };
}

async function readDescriptors(memory: VirtualMemory, ring: bigint, { offset, size }: Layout): Promise<DescriptorRing | null> {
  const at = (name: string) => ring + BigInt(offset(name));
  const bits = (await memory.read(at('prb_desc_ring.count_bits'), 4))?.readUInt32LE(0) ?? 0;
  if (bits < 1 || bits > MAX_COUNT_BITS) return null;
  const count = 2 ** bits;
  const pointers = ['descs', 'infos', 'head_id', 'tail_id'].map((name) => memory.pointer(at(`prb_desc_ring.${name}`)));
  const [descs, infos, head, tail] = await Promise.all(pointers);
  if (!descs || !infos || head === null || head === undefined || tail === null || tail === undefined) return null;
  const descriptors = await memory.read(descs, count * size('prb_desc'));
  const facts = await memory.read(infos, count * size('printk_info'));
  return descriptors && facts && { count, descriptors, facts, head: head & ID_MASK, tail: tail & ID_MASK };
}

function readRecords(ring: DescriptorRing, text: TextRing, layout: Layout): LogRecord[] {
  const records: LogRecord[] = [];
  const span = Number((ring.head - ring.tail) & ID_MASK);
  for (let i = 0; i <= Math.min(span, ring.count - 1); i++) {
    const record = readRecord((ring.tail + BigInt(i)) & ID_MASK, ring, text, layout);
    if (record) records.push(record);
  }
  return records;
}

/** Null when the descriptor is being written, was reused, or its text is gone. */
function readRecord(id: bigint, ring: DescriptorRing, text: TextRing, { offset, size }: Layout): LogRecord | null {
  const index = Number(id % BigInt(ring.count));
  const descriptor = ring.descriptors.subarray(index * size('prb_desc'), (index + 1) * size('prb_desc'));
  const facts = ring.facts.subarray(index * size('printk_info'), (index + 1) * size('printk_info'));
  const state = descriptor.readBigUInt64LE(offset('prb_desc.state_var'));
  const place = offset('prb_desc.text_blk_lpos');
  if ((state & ID_MASK) !== id || ![COMMITTED, FINALIZED].includes(state >> ID_BITS)) return null;
  const begin = descriptor.readBigUInt64LE(place + offset('prb_data_blk_lpos.begin'));
  const block = blockOf(text, begin, descriptor.readBigUInt64LE(place + offset('prb_data_blk_lpos.next')));
  if (!block || block.readBigUInt64LE(0) !== id) return null;
  const length = facts.readUInt16LE(offset('printk_info.text_len'));
  return {
    seconds: Number(facts.readBigUInt64LE(offset('printk_info.ts_nsec'))) / 1e9,
    // The byte behind the length, in every kernel that has this ring.
    facility: facts.readUInt8(offset('printk_info.text_len') + 2),
    text: logText(block.subarray(ID_BYTES, ID_BYTES + length)),
  };
}

/** A block that does not fit before the end of the ring stands wholly at its start. */
function blockOf({ bytes, sizeBits }: TextRing, begin: bigint, next: bigint): Buffer | null {
  if ((begin & WITHOUT_DATA) !== 0n || (next & WITHOUT_DATA) !== 0n) return null;
  const mask = (1n << sizeBits) - 1n;
  const turns = (next >> sizeBits) - (begin >> sizeBits);
  const [from, to] = [Number(begin & mask), Number(next & mask)];
  const block = turns === 0n ? bytes.subarray(from, to) : turns === 1n && to > 0 ? bytes.subarray(0, to) : null;
  const endsRing = turns === 1n && to === 0 ? bytes.subarray(from) : block;
  return endsRing && endsRing.length >= ID_BYTES ? endsRing : null;
}
