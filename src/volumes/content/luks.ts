/** Encrypted volumes, told by their first bytes. LUKS: "LUKS1 On-Disk Format Specification" 1.2.3 and "LUKS2 On-Disk Format" 1.1. */
import type { ByteSource, VolumeContent } from '../../types.js';
import { readWithin, textField } from '../reading.js';

const LUKS_MAGIC = Buffer.from('4c554b53babe', 'hex');

export async function identifyLuks(source: ByteSource): Promise<VolumeContent | null> {
  const start = await readWithin(source, 0, 512);
  if (!start?.subarray(0, 6).equals(LUKS_MAGIC)) return null;
  const version = start.readUInt16BE(6);
  return { kind: 'encrypted', scheme: version === 1 ? 'luks1' : version === 2 ? 'luks2' : 'other', uuid: textField(start, 168, 40) };
}
