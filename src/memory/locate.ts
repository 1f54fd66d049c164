/** Where in a memory file QEMU's stream lies: behind a head, in a snapshot, packed. What is not read here is named. */
import { join } from 'node:path';
import { FileSource, MappedSource } from '../bytes/source.js';
import { locateVmState } from '../images/index.js';
import type { Sandbox } from '../labs/lab.js';
import type { ByteSource } from '../types.js';
import type { MemoryCompression, MemoryContainer } from '../ways.js';
import type { MemoryFindings } from './findings.js';
import { readLibvirtSave } from './libvirt-save.js';
import { MEMORY_HEAD_BYTES, memoryByName, recogniseMemory } from './recognise.js';
import { type Packed, unpack } from './unpack.js';

export interface OpenMemoryRequest {
  path: string;
  /** Name or id of the internal snapshot, when the file is a qcow2 disk; null: the only one with memory. */
  snapshot: string | null;
  /** What the manifest calls it: free text, of which only a few words are known here. */
  format: string;
  /** Private folder of the run: what is packed is unpacked into it. */
  folder: string;
  sandbox: Sandbox;
  /** Most that may be unpacked. */
  limitBytes: number;
  signal: AbortSignal;
  progress?: (doneBytes: number, totalBytes: number) => void;
}

/** A stream that can be read; the source is its own, to be closed. */
export interface Located {
  container: Exclude<MemoryContainer, 'unread'>;
  compression: MemoryCompression;
  source: ByteSource;
  /** Of the stream in its file. */
  fileOffset: number;
  domainXml: string | null;
  /** Goes on from "it is ". */
  what: string;
}

/** Goes on from "it is ". */
export interface Unread {
  unread: string;
}

/** @throws FormatError, NotTestedError, LabError */
export async function locateStream(request: OpenMemoryRequest, findings: MemoryFindings): Promise<Located | Unread> {
  return locateIn(request.path, request, findings, 'none');
}

async function locateIn(path: string, request: OpenMemoryRequest, findings: MemoryFindings, compression: MemoryCompression): Promise<Located | Unread> {
  const file = await FileSource.open(path);
  try {
    const seen = recogniseMemory(await file.read(0, Math.min(MEMORY_HEAD_BYTES, file.sizeBytes)));
    if (seen?.kind === 'qemu-stream') return { container: 'qemu-stream', compression, ...(await whole(path, 0)), fileOffset: 0, domainXml: null, what: STREAM };
    if (seen?.kind === 'libvirt-save') return await inLibvirtSave(path, file, request, findings, compression);
    if (seen?.kind === 'qcow2' && compression === 'none') return await inSnapshot(path, file, request, findings);
    if (seen?.kind === 'compressed' && compression === 'none') {
      const target = await unpacked({ path, offset: 0, compression: seen.compression }, request, findings);
      return await locateIn(target, request, findings, seen.compression);
    }
    if (seen?.kind === 'other') return { unread: seen.what };
    return { unread: memoryByName(request.path) ?? 'of no format that is known here' };
  } finally {
    await file.close();
  }
}

const STREAM = 'a migration stream of QEMU';

async function inLibvirtSave(path: string, file: ByteSource, request: OpenMemoryRequest, findings: MemoryFindings, outer: MemoryCompression): Promise<Located> {
  const save = await readLibvirtSave(file);
  if (!save.finished) {
    const message = `libvirt never finished writing ${request.path}: its head still says so. It cannot be restored.`;
    findings.add('critical', 'libvirt.partial', message, { file: request.path });
  }
  const located = { container: 'libvirt-save', domainXml: save.domainXml, fileOffset: save.streamOffset, what: "libvirt's saved state of a domain" } as const;
  if (save.compression === 'none') return { ...located, compression: outer, ...(await whole(path, save.streamOffset)) };
  const target = await unpacked({ path, offset: save.streamOffset, compression: save.compression }, request, findings);
  return { ...located, compression: save.compression, ...(await whole(target, 0)), fileOffset: 0 };
}

async function inSnapshot(path: string, file: ByteSource, request: OpenMemoryRequest, findings: MemoryFindings): Promise<Located | Unread> {
  const state = await locateVmState(file, path, request.snapshot);
  if (state === 'encrypted') return { unread: 'in an encrypted qcow2 file' };
  const { map, snapshot, cut } = state;
  if (cut) {
    const message = `${path} ends before all of the memory of its snapshot: ${map.sizeBytes} of ${snapshot.vmStateBytes} bytes are in it.`;
    findings.add('critical', 'snapshot.cut', message, { file: path });
  }
  const what = `the memory of the snapshot ${JSON.stringify(snapshot.name)} in a qcow2 file`;
  return { container: 'qcow2-snapshot', compression: 'none', source: new MappedSource(map), fileOffset: 0, domainXml: null, what };
}

async function unpacked(packed: Packed, request: OpenMemoryRequest, findings: MemoryFindings): Promise<string> {
  const { sandbox, limitBytes, signal, folder } = request;
  const target = join(folder, packed.offset > 0 ? 'memory.stream' : 'memory.unpacked');
  await unpack(packed, { sandbox, target, limitBytes, findings, signal });
  return target;
}

/** A file from `offset` on. */
async function whole(path: string, offset: number): Promise<{ source: ByteSource }> {
  const file = await FileSource.open(path);
  if (offset === 0) return { source: file };
  await file.close();
  const lengthBytes = file.sizeBytes - offset;
  const extents = lengthBytes > 0 ? [{ offset: 0, lengthBytes, source: 0, sourceOffset: offset }] : [];
  return { source: new MappedSource({ sizeBytes: lengthBytes, sources: [{ kind: 'file', path }], extents }) };
}
