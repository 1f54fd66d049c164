/**
 * The fixed header of a qcow2 file, versions 2 and 3, and its extensions.
 * Source: the qcow2 specification, docs/interop/qcow2.txt of QEMU. All numbers are big-endian.
 */
import type { ByteSource } from '../../types.js';
import { quote, readAvailable, readExactly, refuse, u64be } from '../header.js';

const V2_LENGTH = 72;
const V3_LENGTH = 104;
const MAX_L1_BYTES = 32 * 2 ** 20;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 2 ** 20;
const MAX_BACKING_NAME = 1023;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const EXTENSION_ENCRYPTION = 0x0537be77;
const BIT = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedL2: 16n };
const KNOWN_BITS = 31n;

export interface Qcow2Fields {
  version: number;
  clusterBits: number;
  virtualSizeBytes: number;
  encryption: number;
  l1: { offset: number; entries: number };
  refcountTable: { offset: number; lengthBytes: number };
  snapshots: { offset: number; count: number };
  incompatible: { dirty: boolean; corrupt: boolean; extendedL2: boolean };
  compression: 'zlib' | 'zstd';
  lazyRefcounts: boolean;
  backing: { name: string; format: string | null } | null;
  /** Where an encrypted image keeps its LUKS header. */
  encryptionHeader: { offset: number; lengthBytes: number } | null;
}

/** @throws FormatError for anything that qemu would not open, and for an external data file. */
export async function readFields(source: ByteSource): Promise<Qcow2Fields> {
  const head = await readExactly(source, 0, V2_LENGTH, 'qcow2 header');
  if (head.toString('latin1', 0, 4) !== 'QFI\xfb')
    throw refuse('format-contradicted', 'the file is stated to be qcow2, but it does not start with the qcow2 magic');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refuse('qcow2.version', `qcow2 version ${version} is not known; versions 2 and 3 are`);
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw refuse('qcow2.cluster-size', `the qcow2 header states clusters of 2^${clusterBits} bytes; 2^9 to 2^21 exist`);
  const cluster = await readAvailable(source, 0, 2 ** clusterBits);
  const late = lateFields(version, cluster);
  const extensions = readExtensions(cluster, late.headerLength, head);
  return {
    version,
    clusterBits,
    virtualSizeBytes: u64be(head, 24, 'virtual size'),
    encryption: head.readUInt32BE(32),
    ...tables(head, clusterBits),
    incompatible: late.incompatible,
    compression: late.compression,
    lazyRefcounts: late.lazyRefcounts,
    backing: readBacking(head, cluster, extensions.backingFormat),
    encryptionHeader: extensions.encryptionHeader,
  };
}

function tables(head: Buffer, clusterBits: number): Pick<Qcow2Fields, 'l1' | 'refcountTable' | 'snapshots'> {
  const l1 = { offset: u64be(head, 40, 'L1 table offset'), entries: head.readUInt32BE(36) };
  const refcountTable = { offset: u64be(head, 48, 'refcount table offset'), lengthBytes: head.readUInt32BE(56) * 2 ** clusterBits };
  const snapshots = { offset: u64be(head, 64, 'snapshot table offset'), count: head.readUInt32BE(60) };
  if (l1.entries * 8 > MAX_L1_BYTES) throw refuse('qcow2.l1-size', `the qcow2 header states an L1 table of ${l1.entries} entries, more than qemu opens`);
  if (refcountTable.lengthBytes > MAX_REFCOUNT_TABLE_BYTES)
    throw refuse('qcow2.refcount-size', 'the qcow2 header states a larger refcount table than qemu opens');
  if (l1.offset % 2 ** clusterBits || refcountTable.offset % 2 ** clusterBits || refcountTable.offset === 0) {
    throw refuse('qcow2.table-offset', 'the qcow2 header places its L1 or refcount table where no cluster starts: the header is damaged');
  }
  return { l1, refcountTable, snapshots };
}

interface LateFields extends Pick<Qcow2Fields, 'incompatible' | 'compression' | 'lazyRefcounts'> {
  headerLength: number;
}

/** What version 3 added behind byte 72. */
function lateFields(version: number, cluster: Buffer): LateFields {
  if (version === 2) {
    return { headerLength: V2_LENGTH, incompatible: { dirty: false, corrupt: false, extendedL2: false }, compression: 'zlib', lazyRefcounts: false };
  }
  if (cluster.length < V3_LENGTH) throw refuse('truncated-header', `the file ends (at ${cluster.length} bytes) inside its qcow2 header`);
  const bits = cluster.readBigUInt64BE(72);
  const headerLength = cluster.readUInt32BE(100);
  if (bits & BIT.externalData) {
    throw refuse(
      'qcow2.external-data-file',
      'the qcow2 image keeps its data in another file (external data file), which is refused',
      'Convert it: qemu-img convert -O qcow2.',
    );
  }
  if (bits & ~KNOWN_BITS)
    throw refuse('qcow2.unknown-feature', `the qcow2 header needs features that are not known (bits ${(bits & ~KNOWN_BITS).toString(16)})`);
  if (headerLength < V3_LENGTH || headerLength > cluster.length)
    throw refuse('qcow2.header-length', `the qcow2 header states a header length of ${headerLength}`);
  const compression = headerLength > V3_LENGTH ? cluster.readUInt8(104) : 0;
  if (compression > 1) throw refuse('qcow2.compression', `the qcow2 header states compression type ${compression}; 0 (zlib) and 1 (zstd) are known`);
  return {
    headerLength,
    incompatible: { dirty: (bits & BIT.dirty) !== 0n, corrupt: (bits & BIT.corrupt) !== 0n, extendedL2: (bits & BIT.extendedL2) !== 0n },
    compression: compression === 1 ? 'zstd' : 'zlib',
    lazyRefcounts: (cluster.readBigUInt64BE(80) & 1n) !== 0n,
  };
}

function readExtensions(cluster: Buffer, start: number, head: Buffer): { backingFormat: string | null; encryptionHeader: Qcow2Fields['encryptionHeader'] } {
  const backingOffset = Number(head.readBigUInt64BE(8));
  const end = Math.min(cluster.length, backingOffset || cluster.length);
  let backingFormat: string | null = null;
  let encryptionHeader: Qcow2Fields['encryptionHeader'] = null;
  for (let at = start; at + 8 <= end; ) {
    const type = cluster.readUInt32BE(at);
    const length = cluster.readUInt32BE(at + 4);
    if (type === 0) break;
    if (at + 8 + length > end) throw refuse('qcow2.extension', `a qcow2 header extension at byte ${at} is longer than the header`);
    const data = cluster.subarray(at + 8, at + 8 + length);
    if (type === EXTENSION_BACKING_FORMAT) backingFormat = data.toString('latin1');
    if (type === EXTENSION_ENCRYPTION && length >= 16) {
      encryptionHeader = { offset: u64be(data, 0, 'encryption header offset'), lengthBytes: u64be(data, 8, 'encryption header length') };
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return { backingFormat, encryptionHeader };
}

function readBacking(head: Buffer, cluster: Buffer, format: string | null): Qcow2Fields['backing'] {
  const offset = u64be(head, 8, 'backing file offset');
  const length = head.readUInt32BE(16);
  if (offset === 0 || length === 0) return null;
  if (length > MAX_BACKING_NAME || offset + length > cluster.length)
    throw refuse('qcow2.backing-name', 'the qcow2 header places the name of its backing file outside itself');
  const bytes = cluster.subarray(offset, offset + length);
  const name = bytes.toString('utf8');
  if (!Buffer.from(name).equals(bytes) || name.includes('\0')) {
    throw refuse('qcow2.backing-name', `the name of the backing file is not a file name: ${quote(name)}`);
  }
  return { name, format };
}
