/**
 * One pass over a migration stream of QEMU, from its first byte to its end. All numbers are big-endian: "QEVM", be32 version 3; 07
 * configuration; sections 01 start, 02 part, 03 end, 04 full, each closed by a footer (7e, be32 number; none before QEMU 2.4);
 * 08 commands; 00 the end, and the description behind it.
 * Source: docs/devel/migration/main.rst of QEMU, scripts/analyze-migration.py, and streams of QEMU 7.2.
 */
import { Cursor, EarlyEndError, type Reading } from '../../bytes/cursor.js';
import type { ByteSource } from '../../types.js';
import { broken, type MemoryFindings, quoted } from '../findings.js';
import { PAGE_BYTES, readName } from './blocks.js';
import { type Configuration, readConfiguration } from './configuration.js';
import { lengthOf } from './description.js';
import { type FoundDescription, findDescription } from './find-description.js';
import { FOOTER, FOOTER_BYTES, findFooter } from './footers.js';
import { RamReader } from './ram.js';

const TYPE = { end: 0, start: 1, part: 2, partEnd: 3, full: 4, description: 6, configuration: 7, command: 8 };
const MAX_SECTIONS = 100_000;
const MAGIC = 'QEVM';
const VERSION = 3;

/** A device's state, between its head and its footer. */
export interface Section {
  name: string;
  instance: number;
  offset: number;
  lengthBytes: number;
}

export interface StreamContent {
  configuration: Configuration | null;
  ram: RamReader;
  sections: Section[];
  description: FoundDescription | null;
  /** Behind the last byte of the stream, as far as it could be followed. */
  endsAt: number;
  /** The mark of the end was reached, and all RAM before it. */
  ended: boolean;
  /** Why its inside is not followed, though nothing is wrong with it: goes on from "it is ". */
  unread: string | null;
}

export interface WalkOptions {
  /** Of the stream in its file. */
  fileOffset: number;
  findings: MemoryFindings;
  signal: AbortSignal;
  progress?: (doneBytes: number) => void;
}

/** What is broken becomes a finding; what was read before it stays. Rejects with `signal.reason`, or with the source's own errors. */
export async function walkStream(source: ByteSource, options: WalkOptions): Promise<StreamContent> {
  const walk = new StreamWalk(source, options);
  try {
    await walk.run();
  } catch (error) {
    const offset = walk.content.endsAt;
    if (error instanceof EarlyEndError) {
      options.findings.add('critical', 'stream.cut', `The stream was cut off: it ends at byte ${source.sizeBytes}, ${walk.doing}.`, {
        offset: source.sizeBytes,
      });
    } else options.findings.addError(error, { offset });
  }
  return walk.content;
}

interface Head {
  id: number;
  name: string;
  instance: number;
}

class StreamWalk {
  readonly content: StreamContent;
  /** Goes on from "it ends at byte 100, ". */
  doing = 'inside of its head';
  private readonly cursor: Cursor;
  private readonly live = new Map<number, Head>();
  private footers: boolean | null = null;
  private searched = false;
  private ramEnded = false;

  constructor(
    private readonly source: ByteSource,
    private readonly options: WalkOptions,
  ) {
    this.cursor = new Cursor(source);
    const ram = new RamReader(options.findings, options.fileOffset);
    this.content = { configuration: null, ram, sections: [], description: null, endsAt: 0, ended: false, unread: null };
  }

  async run(): Promise<void> {
    await this.read(this.head());
    for (let count = 0; !this.content.ended && this.content.unread === null; count++) {
      if (count > MAX_SECTIONS * 10) throw broken('stream.garbled', `the stream has more than ${MAX_SECTIONS * 10} sections`);
      this.content.endsAt = this.cursor.position;
      await this.step(await this.read(this.cursor.byte()));
    }
    this.content.endsAt = this.cursor.position;
  }

  private read<T>(reading: Reading<T>): Promise<T> {
    return this.cursor.run(reading, this.options.signal, this.options.progress);
  }

  private *head(): Reading<void> {
    const bytes = yield* this.cursor.bytes(8);
    if (bytes.toString('latin1', 0, 4) !== MAGIC) throw broken('stream.garbled', 'it does not begin like a migration stream of QEMU');
    const version = bytes.readUInt32BE(4);
    if (version !== VERSION) throw broken('stream.garbled', `its version is ${version}; only version ${VERSION} is known`);
    this.doing = 'before its first section';
  }

  private async step(type: number): Promise<void> {
    if (type === TYPE.start || type === TYPE.full) return this.open(type);
    if (type === TYPE.part || type === TYPE.partEnd) return this.resume(type);
    if (type === TYPE.configuration) this.configure(await this.read(readConfiguration(this.cursor)));
    else if (type === TYPE.command) await this.read(this.command());
    else if (type === TYPE.end) await this.end();
    else
      throw broken(
        'stream.garbled',
        `a section of the unknown type ${type} begins at byte ${this.cursor.position - 1}: what lies before or there was overwritten`,
      );
  }

  private configure(configuration: Configuration): void {
    this.content.configuration = configuration;
    const { pageBytes } = configuration;
    if (pageBytes !== null && pageBytes !== PAGE_BYTES) this.content.unread = `a migration stream of a machine with pages of ${pageBytes} bytes`;
  }

  private *command(): Reading<void> {
    const bytes = yield* this.cursor.bytes(4);
    yield* this.cursor.skip(bytes.readUInt16BE(2));
  }

  private *sectionHead(): Reading<Head> {
    const id = (yield* this.cursor.bytes(4)).readUInt32BE(0);
    const name = yield* readName(this.cursor);
    const instance = (yield* this.cursor.bytes(8)).readUInt32BE(0);
    return { id, name, instance };
  }

  private async open(type: number): Promise<void> {
    const head = await this.read(this.sectionHead());
    this.doing = `inside of the section ${quoted(head.name)}`;
    if (type === TYPE.start) this.live.set(head.id, head);
    if (head.name === 'ram') await this.ramSection(head, type === TYPE.full);
    else if (type === TYPE.start) await this.passUnknown(head);
    else await this.device(head);
    this.doing = `behind the section ${quoted(head.name)}, where another one or the end must follow`;
  }

  private async resume(type: number): Promise<void> {
    const id = (await this.read(this.cursor.bytes(4))).readUInt32BE(0);
    const head = this.live.get(id);
    if (!head) throw broken('stream.garbled', `the section at byte ${this.cursor.position - 5} goes on with number ${id}, which never began`);
    this.doing = `inside of the section ${quoted(head.name)}`;
    if (head.name === 'ram') await this.ramSection(head, type === TYPE.partEnd);
    else await this.passUnknown(head);
    this.doing = `behind a part of the section ${quoted(head.name)}, where another one or the end must follow`;
  }

  private async ramSection(head: Head, last: boolean): Promise<void> {
    await this.read(this.content.ram.section(this.cursor));
    if (last) this.ramEnded = true;
    if (!(await this.footer(head))) throw broken('stream.footer', `a part of the RAM does not end with its footer at byte ${this.cursor.position}`);
  }

  /** A part whose inside is not read, such as disks that were moved along. */
  private async passUnknown(head: Head): Promise<void> {
    const from = this.cursor.position;
    await this.passTo(await this.searchFooter(head, from), head);
  }

  private async device(head: Head): Promise<void> {
    if (this.content.sections.length >= MAX_SECTIONS) throw broken('stream.garbled', `the stream has more than ${MAX_SECTIONS} devices`);
    const offset = this.cursor.position;
    const stated = await this.statedLength(head, offset);
    const lengthBytes = stated !== null && (await this.endsAfter(head, offset, stated)) ? stated : (await this.searchFooter(head, offset)) - offset;
    if (stated !== null && stated !== lengthBytes) {
      const message = `The section ${quoted(head.name)} at byte ${offset} has ${lengthBytes} bytes, and the stream's description says ${stated}.`;
      this.options.findings.add('warning', 'stream.description', message, { offset });
    }
    await this.passTo(offset + lengthBytes, head);
    this.content.sections.push({ name: head.name, instance: head.instance, offset, lengthBytes });
  }

  private async statedLength(head: Head, offset: number): Promise<number | null> {
    const description = await this.description(offset);
    const device = description?.devices.find(({ name, instance }) => name === head.name && instance === head.instance);
    const length = device ? lengthOf(device) : null;
    if (description && !device)
      this.options.findings.add('warning', 'stream.description', `The stream's description does not know the section ${quoted(head.name)}.`, { offset });
    return length !== null && Number.isSafeInteger(length) ? length : null;
  }

  private async description(from: number): Promise<FoundDescription | null> {
    if (this.searched) return this.content.description;
    this.searched = true;
    try {
      this.content.description = await findDescription(this.source, from, this.options.signal);
    } catch (error) {
      this.options.findings.addError(error, { offset: from });
    }
    return this.content.description;
  }

  private async endsAfter(head: Head, offset: number, length: number): Promise<boolean> {
    if (offset + length + (this.footers === false ? 0 : FOOTER_BYTES) > this.source.sizeBytes) return false;
    if (this.footers === false) return true;
    return isFooter(await this.source.read(offset + length, FOOTER_BYTES), head.id);
  }

  private async searchFooter(head: Head, from: number): Promise<number> {
    const found = this.footers === false ? null : await findFooter(this.source, from, head.id, this.options.signal);
    if (found !== null) return found;
    if (this.footers !== false && this.source.sizeBytes - from < FOOTER_BYTES) await this.read(this.cursor.need(FOOTER_BYTES));
    throw broken('stream.footer', `the end of the section ${quoted(head.name)}, which begins at byte ${from}, cannot be found: its footer is missing`);
  }

  private async passTo(offset: number, head: Head): Promise<void> {
    await this.read(this.cursor.skip(offset - this.cursor.position));
    if (!(await this.footer(head))) throw broken('stream.footer', `the section ${quoted(head.name)} does not end with its footer at byte ${offset}`);
  }

  /** Passes the footer. The first section tells whether this stream has any. */
  private async footer(head: Head): Promise<boolean> {
    if (this.footers === false) return true;
    if (this.footers === null && (await this.read(this.cursor.peek(1)))[0] !== FOOTER) {
      this.footers = false;
      return true;
    }
    this.footers = true;
    return isFooter(await this.read(this.cursor.bytes(FOOTER_BYTES)), head.id);
  }

  private async end(): Promise<void> {
    const at = this.cursor.position - 1;
    const description = await this.description(at);
    this.doing = 'inside of its description of the devices';
    if (description?.offset === at) await this.read(this.cursor.skip(description.end - this.cursor.position));
    else if (this.cursor.left > 0 && (await this.read(this.cursor.peek(1)))[0] === TYPE.description) await this.read(this.passDescription());
    if (!this.ramEnded) throw broken('stream.cut', `the stream ends at byte ${at} before all of the RAM`);
    this.content.ended = true;
    this.missingDevices();
  }

  private *passDescription(): Reading<void> {
    const bytes = yield* this.cursor.bytes(5);
    yield* this.cursor.skip(bytes.readUInt32BE(1));
  }

  private missingDevices(): void {
    const seen = new Set(this.content.sections.map(keyOf));
    for (const device of this.content.description?.devices ?? []) {
      if (seen.has(keyOf(device))) continue;
      this.options.findings.add('critical', 'stream.description', `The stream describes the device ${quoted(device.name)} and does not hold its state.`, {});
    }
  }
}

/** What tells the sections of a stream apart. */
export const keyOf = ({ name, instance }: { name: string; instance: number }): string => `${instance} ${name}`;

function isFooter(bytes: Buffer, id: number): boolean {
  return bytes[0] === FOOTER && bytes.readUInt32BE(1) === id;
}
