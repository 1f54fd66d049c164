/** Builds migration streams by hand, so that every part of one can be wrong in a known way. */

export interface BuiltField {
  name: string;
  type: string;
  bytes: Buffer;
}

export interface BuiltDevice {
  name: string;
  instance?: number;
  fields: BuiltField[];
  subsections?: { name: string; fields: BuiltField[] }[];
  /** What the description says instead of the truth. */
  statedBytes?: number;
}

export interface BuiltStream {
  machineType?: string;
  blocks?: { name: string; sizeBytes: number; extra?: Buffer }[];
  /** Items of the RAM section behind the list of blocks. */
  pages?: Buffer[];
  devices?: BuiltDevice[];
  footers?: boolean;
  description?: boolean;
  /** Subsections of the configuration. */
  configuration?: Buffer;
}

export const PAGE = 4096;
const RAM_SECTION = 2;

export function be32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

export function be64(value: number | bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
}

export function named(name: string): Buffer {
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name, 'latin1')]);
}

/** A page of the block, or of the block before when `block` is null. */
export function page(block: string | null, address: number, bytes: Buffer): Buffer {
  return item(block, address, 0x08, bytes);
}

export function fill(block: string | null, address: number, byte: number): Buffer {
  return item(block, address, 0x02, Buffer.of(byte));
}

export function item(block: string | null, address: number, flag: number, content: Buffer): Buffer {
  const word = be64(BigInt(address) | BigInt(flag | (block === null ? 0x20 : 0)));
  return Buffer.concat([word, block === null ? Buffer.alloc(0) : named(block), content]);
}

/** Bytes of a page that no other page has. */
export function content(seed: number): Buffer {
  return Buffer.from(Array.from({ length: PAGE }, (_, i) => (i * 7 + seed * 13 + (i >> 8)) & 255));
}

export const RUNNING: BuiltDevice = {
  name: 'globalstate',
  fields: [
    { name: 'size', type: 'uint32', bytes: be32(8) },
    { name: 'runstate', type: 'buffer', bytes: Buffer.concat([Buffer.from('running\0'), Buffer.alloc(92)]) },
  ],
};

const END_OF_PAGES = be64(0x10);

export function buildStream(built: BuiltStream = {}): Buffer {
  const { machineType = 'pc-q35-7.2', devices = [RUNNING], footers = true, description = true } = built;
  const parts = [Buffer.from('QEVM'), be32(3)];
  parts.push(Buffer.concat([Buffer.of(7), be32(machineType.length), Buffer.from(machineType), built.configuration ?? Buffer.alloc(0)]));
  parts.push(...ramSections(built, footers));
  for (const [index, device] of devices.entries()) parts.push(deviceSection(device, 10 + index, footers));
  parts.push(Buffer.of(0));
  if (description) parts.push(describe(devices));
  return Buffer.concat(parts);
}

function ramSections({ blocks = [{ name: 'pc.ram', sizeBytes: 16 * PAGE }], pages = [] }: BuiltStream, footers: boolean): Buffer[] {
  const total = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const list = blocks.map(({ name, sizeBytes, extra }) => Buffer.concat([named(name), be64(sizeBytes), extra ?? Buffer.alloc(0)]));
  const footer = footerOf(RAM_SECTION, footers);
  const start = [Buffer.of(1), be32(RAM_SECTION), named('ram'), be32(0), be32(4), be64(BigInt(total) | 4n), ...list, END_OF_PAGES, footer];
  const middle = [Buffer.of(2), be32(RAM_SECTION), ...pages, END_OF_PAGES, footer];
  return [...start, ...middle, Buffer.of(3), be32(RAM_SECTION), END_OF_PAGES, footer];
}

function deviceSection(device: BuiltDevice, id: number, footers: boolean): Buffer {
  const parts = [Buffer.of(4), be32(id), named(device.name), be32(device.instance ?? 0), be32(1), ...device.fields.map(({ bytes }) => bytes)];
  for (const { name, fields } of device.subsections ?? []) parts.push(Buffer.of(5), named(name), be32(1), ...fields.map(({ bytes }) => bytes));
  return Buffer.concat([...parts, footerOf(id, footers)]);
}

function footerOf(id: number, footers: boolean): Buffer {
  return footers ? Buffer.concat([Buffer.of(0x7e), be32(id)]) : Buffer.alloc(0);
}

function describe(devices: BuiltDevice[]): Buffer {
  const fieldsOf = (fields: BuiltField[]) => fields.map(({ name, type, bytes }) => ({ name, type, size: bytes.length }));
  const json = {
    page_size: PAGE,
    devices: devices.map(({ name, instance = 0, fields, subsections, statedBytes }) => ({
      ...{ name, instance_id: instance, vmsd_name: name, version: 1 },
      fields: statedBytes === undefined ? fieldsOf(fields) : [{ name: 'data', type: 'buffer', size: statedBytes }],
      ...(subsections ? { subsections: subsections.map((part) => ({ vmsd_name: part.name, version: 1, fields: fieldsOf(part.fields) })) } : {}),
    })),
  };
  const text = Buffer.from(JSON.stringify(json));
  return Buffer.concat([Buffer.of(6), be32(text.length), text]);
}
