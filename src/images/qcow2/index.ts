/** qcow2: header, internal snapshots, and how long the file must be for all its tables point to. */
import type { ByteSource } from '../../types.js';
import { HighWater, type ImageHeader, refuse } from '../header.js';
import { type Qcow2Fields, readFields } from './fields.js';
import { readSnapshots } from './snapshots.js';
import { TableWalker } from './tables.js';

export { readFields as readQcow2Fields } from './fields.js';

const ENCRYPTION = ['none', 'aes', 'luks'] as const;

/** @throws FormatError */
export async function parseQcow2(source: ByteSource): Promise<ImageHeader> {
  const fields = await readFields(source);
  assertCovered(fields);
  const reached = new HighWater();
  if (fields.encryptionHeader) reached.note(fields.encryptionHeader.offset + fields.encryptionHeader.lengthBytes);
  const snapshots = await readSnapshots(source, fields.snapshots, reached);
  const walker = new TableWalker(source, fields, reached);
  await walker.walkRefcounts();
  for (const table of [fields.l1, ...snapshots.l1Tables]) await walker.walkL1(table);
  return {
    format: 'qcow2',
    virtualSizeBytes: fields.virtualSizeBytes,
    promisedBytes: reached.bytes,
    backing: fields.backing,
    internalSnapshots: snapshots.listed,
    details: { ...details(fields), ...walker.walk, internalSnapshots: fields.snapshots.count },
  };
}

function details(fields: Qcow2Fields): ImageHeader['details'] {
  return {
    version: fields.version,
    clusterBytes: 2 ** fields.clusterBits,
    ...fields.incompatible,
    lazyRefcounts: fields.lazyRefcounts,
    compression: fields.compression,
    encryption: ENCRYPTION[fields.encryption] ?? `unknown ${fields.encryption}`,
  };
}

function assertCovered(fields: Qcow2Fields): void {
  const clusterBytes = 2 ** fields.clusterBits;
  const bytesPerL1Entry = clusterBytes * (clusterBytes / (fields.incompatible.extendedL2 ? 16 : 8));
  if (fields.l1.entries * bytesPerL1Entry < fields.virtualSizeBytes) {
    throw refuse('qcow2.l1-too-small', 'the L1 table of the qcow2 file is too small for the size of the disk it states: the header is damaged');
  }
}
