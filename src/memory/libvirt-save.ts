/**
 * What libvirt writes with `save`, `managedsave` and `snapshot-create --memspec`: a head of 92 bytes in the byte order of its host
 * (16 bytes of magic, then version, length of what follows, whether the machine ran, compression, offset of the cookie, 14 unused
 * words), the domain's XML with a NUL, the cookie, and QEMU's stream. "LibvirtQemudPart": it was never finished.
 * Source: the head as libvirt's own documentation of the driver and files of libvirt 9 show it.
 */
import type { ByteSource } from '../types.js';
import type { MemoryCompression } from '../ways.js';
import { broken } from './findings.js';

const HEAD_BYTES = 92;
const MAX_DATA_BYTES = 16 * 2 ** 20;
const NEWEST_VERSION = 2;
/** By number; `sparse` is a plain stream whose pages lie at places of their own. */
const COMPRESSIONS: (MemoryCompression | 'sparse')[] = ['none', 'gzip', 'bzip2', 'xz', 'lzop', 'zstd', 'sparse'];

export interface LibvirtSave {
  /** False: the save was interrupted. */
  finished: boolean;
  compression: MemoryCompression;
  domainXml: string;
  wasRunning: boolean;
  /** Where QEMU's stream begins, perhaps compressed. */
  streamOffset: number;
}

/** @throws FormatError */
export async function readLibvirtSave(source: ByteSource): Promise<LibvirtSave> {
  if (source.sizeBytes < HEAD_BYTES) throw broken('libvirt.cut', `the file ends at byte ${source.sizeBytes}, inside of the head that libvirt writes`);
  const head = await source.read(0, HEAD_BYTES);
  const little = head.readUInt32LE(16) <= head.readUInt32BE(16);
  const word = (index: number) => (little ? head.readUInt32LE(16 + index * 4) : head.readUInt32BE(16 + index * 4));
  const [version, dataBytes, wasRunning, format] = [word(0), word(1), word(2), word(3)];
  if (version < 1 || version > NEWEST_VERSION) throw broken('libvirt.head', `the file's head states version ${version} of libvirt's format; 1 and 2 are known`);
  const compression = version === 1 ? 'none' : COMPRESSIONS[format];
  if (!compression) throw broken('libvirt.head', `the file's head states compression ${format}, which is not known`);
  const streamOffset = HEAD_BYTES + dataBytes;
  if (dataBytes > MAX_DATA_BYTES) throw broken('libvirt.head', `the file's head states ${dataBytes} bytes of XML: no domain has so much`);
  if (streamOffset > source.sizeBytes) throw broken('libvirt.cut', `the file ends at byte ${source.sizeBytes}, inside of the domain's XML`);
  const data = await source.read(HEAD_BYTES, dataBytes);
  const end = data.indexOf(0);
  return {
    finished: head.toString('latin1', 0, 16) === 'LibvirtQemudSave',
    compression: compression === 'sparse' ? 'none' : compression,
    domainXml: data.toString('utf8', 0, end < 0 ? data.length : end),
    wasRunning: wasRunning !== 0,
    streamOffset,
  };
}
