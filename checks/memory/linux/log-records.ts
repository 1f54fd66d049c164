/**
 * The kernel's log before 5.10: a buffer of records, each after the other (3.5 to 5.9), or of plain text (before).
 * Offsets: vmcoreinfo (the Linux kernel's documentation, admin-guide/kdump/vmcoreinfo.rst, as of those versions).
 */
import { type KernelLog, type LogRecord, logText, MAX_LOG_BYTES } from './log-record.js';
import type { VirtualMemory } from './page-tables.js';
import type { VmcoreInfo } from './vmcoreinfo.js';

/** The structure changed its name in 3.11. */
const STRUCTURES = ['printk_log', 'log'];

interface Layout {
  headerBytes: number;
  time: number;
  length: number;
  textLength: number;
  facility: number;
}

/** Null when there is no such buffer, or it makes no sense. */
export async function readLogRecords(memory: VirtualMemory, info: VmcoreInfo): Promise<KernelLog | null> {
  const buffer = await readBuffer(memory, info);
  if (!buffer) return null;
  const layout = layoutOf(info);
  const [first, next] = await Promise.all(['log_first_idx', 'log_next_idx'].map((name) => readNumber(memory, info, name)));
  if (layout && first !== null && first !== undefined && next !== null && next !== undefined) {
    return { layout: 'records', records: walkRecords(buffer, layout, first, next) };
  }
  const end = await readNumber(memory, info, 'log_end');
  return end === null ? null : { layout: 'text', records: splitText(buffer, end) };
}

async function readBuffer(memory: VirtualMemory, info: VmcoreInfo): Promise<Buffer | null> {
  const symbol = info.symbols.get('log_buf');
  const address = symbol === undefined ? null : await memory.pointer(symbol);
  const length = await readNumber(memory, info, 'log_buf_len');
  return address === null || length === null || length < 1024 || length > MAX_LOG_BYTES ? null : memory.read(address, length);
}

async function readNumber(memory: VirtualMemory, info: VmcoreInfo, name: string): Promise<number | null> {
  const symbol = info.symbols.get(name);
  return symbol === undefined ? null : ((await memory.read(symbol, 4))?.readUInt32LE(0) ?? null);
}

function layoutOf({ sizes, offsets }: VmcoreInfo): Layout | null {
  for (const name of STRUCTURES) {
    const headerBytes = sizes.get(name);
    const [time, length, textLength, dictionary] = ['ts_nsec', 'len', 'text_len', 'dict_len'].map((member) => offsets.get(`${name}.${member}`));
    if (headerBytes === undefined || time === undefined || length === undefined || textLength === undefined || dictionary === undefined) continue;
    const layout = { headerBytes, time, length, textLength, facility: dictionary + 2 };
    if (headerBytes >= 16 && headerBytes <= 256 && time + 8 <= headerBytes && Math.max(length, textLength, dictionary) + 3 <= headerBytes) return layout;
  }
  return null;
}

function walkRecords(buffer: Buffer, layout: Layout, first: number, next: number): LogRecord[] {
  const records: LogRecord[] = [];
  let wrapped = false;
  for (let at = first; at !== next; ) {
    if (at + layout.headerBytes > buffer.length) return records;
    const header = buffer.subarray(at, at + layout.headerBytes);
    const length = header.readUInt16LE(layout.length);
    if (length === 0) {
      if (wrapped) return records;
      wrapped = true;
      at = 0;
      continue;
    }
    const textLength = header.readUInt16LE(layout.textLength);
    if (length < layout.headerBytes || textLength > length - layout.headerBytes) return records;
    const text = buffer.subarray(at + layout.headerBytes, at + layout.headerBytes + textLength);
    records.push({ seconds: Number(header.readBigUInt64LE(layout.time)) / 1e9, facility: header.readUInt8(layout.facility), text: logText(text) });
    at += length;
    if (records.length > buffer.length / layout.headerBytes) return records;
  }
  return records;
}

/** `<6>[    1.234567] text`, the newest before `end`. What has no time belongs to the line before it. */
function splitText(buffer: Buffer, end: number): LogRecord[] {
  const at = end % buffer.length;
  const text = Buffer.concat([buffer.subarray(at), buffer.subarray(0, at)]).toString('latin1');
  const records: LogRecord[] = [];
  for (const match of text.matchAll(/<(\d{1,3})>\[ *(\d{1,9}\.\d{6})\] ([^\n]*)/g)) {
    records.push({ seconds: Number(match[2]), facility: Number(match[1]) >> 3, text: logText(Buffer.from(match[3] ?? '', 'latin1')) });
  }
  return records;
}
