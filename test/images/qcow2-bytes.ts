/** A small qcow2 file written by hand from the specification, so that single fields can be set to anything. */
const CLUSTER = 65_536;

export interface Qcow2Parts {
  virtualSizeBytes?: bigint;
  backing?: string;
  backingFormat?: string;
  incompatible?: bigint;
  encryption?: number;
  clusterBits?: number;
  l1Entries?: number;
  l1Offset?: bigint;
  /** Host offset of the one data cluster. */
  dataOffset?: bigint;
  snapshots?: { count: number; offset: bigint };
}

/** Header, refcount table, one refcount block, L1, one L2 and one data cluster: six clusters of 64 KiB. */
export function qcow2Bytes(parts: Qcow2Parts = {}): Buffer {
  const bytes = Buffer.alloc(6 * CLUSTER);
  bytes.write('QFI\xfb', 0, 'latin1');
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(parts.clusterBits ?? 16, 20);
  bytes.writeBigUInt64BE(parts.virtualSizeBytes ?? 2n ** 20n, 24);
  bytes.writeUInt32BE(parts.encryption ?? 0, 32);
  bytes.writeUInt32BE(parts.l1Entries ?? 1, 36);
  bytes.writeBigUInt64BE(parts.l1Offset ?? BigInt(3 * CLUSTER), 40);
  bytes.writeBigUInt64BE(BigInt(CLUSTER), 48);
  bytes.writeUInt32BE(1, 56);
  bytes.writeUInt32BE(parts.snapshots?.count ?? 0, 60);
  bytes.writeBigUInt64BE(parts.snapshots?.offset ?? 0n, 64);
  bytes.writeBigUInt64BE(parts.incompatible ?? 0n, 72);
  bytes.writeUInt32BE(4, 96);
  bytes.writeUInt32BE(104, 100);
  writeBacking(bytes, parts);
  bytes.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  bytes.writeBigUInt64BE(BigInt(4 * CLUSTER) | (1n << 63n), 3 * CLUSTER);
  bytes.writeBigUInt64BE((parts.dataOffset ?? BigInt(5 * CLUSTER)) | (1n << 63n), 4 * CLUSTER);
  return bytes;
}

function writeBacking(bytes: Buffer, parts: Qcow2Parts): void {
  let at = 104;
  if (parts.backingFormat !== undefined) {
    bytes.writeUInt32BE(0xe2792aca, at);
    bytes.writeUInt32BE(parts.backingFormat.length, at + 4);
    bytes.write(parts.backingFormat, at + 8, 'latin1');
    at += 8 + Math.ceil(parts.backingFormat.length / 8) * 8;
  }
  if (parts.backing === undefined) return;
  const name = Buffer.from(parts.backing);
  name.copy(bytes, at + 8);
  bytes.writeBigUInt64BE(BigInt(at + 8), 8);
  bytes.writeUInt32BE(name.length, 16);
}
