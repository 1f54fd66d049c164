/** From a file to a SavedMemory: where the stream lies, one pass over it, and what it says of its machine. */
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FormatError, LabError } from '../errors.js';
import type { ByteSource } from '../types.js';
import type { GuestRam, MemoryFacts, SavedMemory } from '../ways.js';
import { layOutRam, ramBytesOf } from './address-space.js';
import { MemoryFindings } from './findings.js';
import { StreamRam } from './guest-ram.js';
import { type Located, locateStream, type OpenMemoryRequest, type Unread } from './locate.js';
import { readCpus, readRunState } from './state/cpus.js';
import { readDevices } from './state/devices.js';
import { type StreamContent, walkStream } from './stream/walk.js';

export type { OpenMemoryRequest } from './locate.js';

const CHUNK_BYTES = 2 ** 20;
const NOTHING: Omit<MemoryFacts, 'why' | 'findings'> = {
  ...{ container: 'unread', compression: 'none', machineType: null, ramBytes: 0, blocks: [], cpus: [], devices: [], runState: null, mappedPages: false },
  ...{ domainXml: null, complete: false },
};

/**
 * Whatever the bytes are, it gives a SavedMemory: what is broken stands in `facts.findings`.
 * @throws NotTestedError when it does not fit into the limit or its packer is missing; LabError when this host is in trouble;
 * `signal.reason` when it is aborted
 */
export async function openSavedMemory(request: OpenMemoryRequest): Promise<SavedMemory> {
  const findings = new MemoryFindings();
  const located = await guarded(findings, request, () => locate(request, findings));
  if (!located) return unread('of no shape that could be read', findings);
  if ('unread' in located) return unread(located.unread, findings);
  const content = await guarded(findings, request, () => walk(located, request, findings));
  if (content && content.unread === null) return readMachine(located, content, findings, request);
  await located.source.close();
  return unread(content?.unread ?? 'of no shape that could be read', findings);
}

async function locate(request: OpenMemoryRequest, findings: MemoryFindings): Promise<Located | Unread | null> {
  const info = await stat(request.path);
  if (!info.isFile() && !info.isBlockDevice()) {
    findings.add('critical', 'unreadable', `${request.path} is neither a file nor a block device.`, { file: request.path });
    return null;
  }
  if (info.isFile() && info.size === 0) {
    findings.add('critical', 'empty', `${request.path} is empty: the backup did not write it.`, { file: request.path });
    return null;
  }
  const located = await locateStream(request, findings);
  assertStated(request, located, findings);
  return located;
}

/** A manifest that names a format which is read here, over bytes of another kind, tells of a file that was replaced or overwritten. */
function assertStated({ format, path }: OpenMemoryRequest, located: Located | Unread, findings: MemoryFindings): void {
  const stated = /^(qemu|libvirt|qcow2)/i.exec(format)?.[1]?.toLowerCase();
  if (!stated || !('unread' in located)) return;
  const message = `${path} is stated to be ${JSON.stringify(format.slice(0, 60))}, and it is ${located.unread}.`;
  findings.add('critical', 'format-contradicted', message, { file: path });
}

async function walk(located: Located, { signal, progress }: OpenMemoryRequest, findings: MemoryFindings): Promise<StreamContent> {
  const { source, fileOffset } = located;
  return walkStream(source, { fileOffset, findings, signal, ...(progress ? { progress: (done) => progress(done, source.sizeBytes) } : {}) });
}

async function readMachine(located: Located, content: StreamContent, findings: MemoryFindings, request: OpenMemoryRequest): Promise<SavedMemory> {
  const { source, container, compression, domainXml, what } = located;
  const { blocks } = content.ram;
  const machineType = content.configuration?.machineType.slice(0, 64) ?? null;
  const segments = layOutRam(machineType ?? '', blocks);
  noteGaps(content, source, segments === null, findings);
  const read = await guarded(findings, request, async () => ({
    cpus: await readCpus(source, content),
    devices: await readDevices(source, content, request.signal),
    runState: await readRunState(source, content),
  }));
  const facts: MemoryFacts = {
    ...{ container, compression, why: what, machineType, ramBytes: ramBytesOf(blocks), domainXml },
    ...{ blocks: blocks.map(({ name, sizeBytes }) => ({ name, sizeBytes })), cpus: [], devices: [], runState: null, ...read },
    ...{ mappedPages: blocks.some(({ mapped }) => mapped !== null), complete: content.ended && !findings.critical, findings: findings.list() },
  };
  const ram = segments && blocks.length > 0 ? new StreamRam(source, blocks, content.ram.index, segments) : null;
  return saved(facts, ram, source, content.endsAt);
}

function noteGaps(content: StreamContent, source: ByteSource, unknownLayout: boolean, findings: MemoryFindings): void {
  const { ended, description, endsAt, configuration } = content;
  if (ended && !description) {
    findings.add('info', 'stream.no-description', 'The stream does not describe its devices, as those of old machine types do: little can be learnt of them.');
  }
  if (ended && endsAt < source.sizeBytes) {
    const message = `${source.sizeBytes - endsAt} bytes follow the end of the stream: normal for a volume that is larger than what was saved in it.`;
    findings.add('info', 'stream.trailing', message, { offset: endsAt });
  }
  if (ended && unknownLayout) {
    const type = configuration ? JSON.stringify(configuration.machineType) : 'a machine whose type the stream does not say';
    findings.add('info', 'ram-layout', `Where ${type} has its RAM is not known here: its memory cannot be read by address.`);
  }
}

function saved(facts: MemoryFacts, ram: GuestRam | null, source: ByteSource, endsAt: number): SavedMemory {
  let closed: Promise<void> | null = null;
  return {
    facts,
    ram,
    stream: () => {
      if (facts.mappedPages) throw unavailable('its pages lie at places of their own (mapped-ram), and QEMU takes such a stream from a file only');
      return Readable.from(chunks(source, endsAt), { objectMode: false, highWaterMark: CHUNK_BYTES });
    },
    close: () => (closed ??= source.close()),
  };
}

function unread(why: string, findings: MemoryFindings): SavedMemory {
  return {
    facts: { ...NOTHING, why, findings: findings.list() },
    ram: null,
    stream: () => {
      throw unavailable(`it is ${why}`);
    },
    close: async () => undefined,
  };
}

function unavailable(why: string): LabError {
  return new LabError({ code: 'memory.no-stream', message: `there is no stream that QEMU could be given: ${why}.` });
}

async function* chunks(source: ByteSource, endsAt: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < endsAt; at += CHUNK_BYTES) yield await source.read(at, Math.min(CHUNK_BYTES, endsAt - at));
}

/** Null when the file itself is at fault: that is a finding. */
async function guarded<T>(findings: MemoryFindings, { path, signal }: OpenMemoryRequest, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const where = { file: path };
    if (error instanceof FormatError)
      findings.add('critical', error.code.replace(/^(memory|image)\./, ''), `${sentence(error.message)} ${error.advice}`.trim(), where);
    else if (code === 'ENOENT') findings.add('critical', 'missing', `${path} is not there: the backup is incomplete.`, where);
    else if (code === 'EIO') findings.add('critical', 'unreadable', `${path} cannot be read: the storage reports an error (EIO).`, where);
    else if (code === 'EACCES' || code === 'EPERM') throw noPermission(path, error);
    else if (error instanceof RangeError) findings.add('critical', 'changed-while-read', `${path} changed while it was read: ${error.message}.`, where);
    else throw error;
    return null;
  }
}

function noPermission(path: string, cause: unknown): LabError {
  return new LabError({ code: 'memory.permission', message: `no permission to read ${path}.`, advice: 'Run as a user who may read it.', cause });
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
