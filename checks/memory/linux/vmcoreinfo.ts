/**
 * What a Linux kernel says of itself for crash dumps: names, sizes, offsets and addresses as lines of text, in a page of their own.
 * Format: the Linux kernel's documentation, admin-guide/kdump/vmcoreinfo.rst.
 */

/** The page begins so; a copy for a note of an ELF file lies elsewhere. */
export const VMCOREINFO_START = 'OSRELEASE=';
const MAX_LINES = 1000;

export interface VmcoreInfo {
  release: string;
  /** Virtual addresses. */
  symbols: Map<string, bigint>;
  /** `struct` or `struct.member`. */
  sizes: Map<string, number>;
  offsets: Map<string, number>;
  numbers: Map<string, bigint>;
}

/** Reads the lines up to the first that is none; null when the bytes are no such text. */
export function parseVmcoreInfo(bytes: Buffer): VmcoreInfo | null {
  const end = bytes.indexOf(0);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  if (!text.startsWith(VMCOREINFO_START)) return null;
  const info: VmcoreInfo = { release: '', symbols: new Map(), sizes: new Map(), offsets: new Map(), numbers: new Map() };
  for (const line of text.split('\n').slice(0, MAX_LINES)) readLine(line, info);
  return /^[\w.+~-]{1,64}$/.test(info.release) ? info : null;
}

function readLine(line: string, info: VmcoreInfo): void {
  const match = /^([A-Z]+)(?:\(([\w.]{1,80})\))?=(.{1,80})$/.exec(line);
  const [, kind = '', name = '', value = ''] = match ?? [];
  if (kind === 'OSRELEASE') info.release = value;
  else if (kind === 'SYMBOL' && /^[0-9a-f]{1,16}$/.test(value)) info.symbols.set(name, BigInt(`0x${value}`));
  else if (!/^-?\d{1,18}$/.test(value)) return;
  else if (kind === 'SIZE') info.sizes.set(name, Number(value));
  else if (kind === 'OFFSET') info.offsets.set(name, Number(value));
  else if (kind === 'NUMBER' || kind === 'LENGTH') info.numbers.set(name, BigInt(value));
}
