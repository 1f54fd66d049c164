/**
 * LVM2 physical volumes: label, header and the metadata text in its first area.
 * Format: the comments of the on-disk structures as described in the LVM2 documentation (label_header, pv_header, mda_header).
 */
import { FormatError } from '../../errors.js';
import type { ByteSource } from '../../types.js';
import { crc32 } from '../checksums.js';
import { readWithin, toSafeNumber } from '../reading.js';
import { parseMetadataText, type TextSection, type TextValue } from './metadata-text.js';

const LABEL_SECTORS = 4;
const AREA_MAGIC = ' LVM2 x[5A%r0N*>';
const CRC_SEED = 0xf597a6cf;
/** Text of a group with thousands of volumes is below this. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
const AREA_HEADER_BYTES = 512;

export interface LvmMember {
  uuid: string;
  deviceBytes: number;
  /** Null when the physical volume belongs to no group, or its metadata is damaged or kept on other members only. */
  group: LvmGroup | null;
  damage: string | null;
}

export interface LvmGroup {
  name: string;
  uuid: string | null;
  /** Raised by every change of the group: equal on all members captured at one instant. */
  sequence: number;
  /** Uuids of the physical volumes that make up the group. */
  members: string[];
  /** The section of the group as parsed. */
  text: TextSection;
}

/** Null when there is no label. Never throws for what the bytes hold. */
export async function readLvmMember(source: ByteSource): Promise<LvmMember | null> {
  const start = await readWithin(source, 0, Math.min(LABEL_SECTORS * 512, source.sizeBytes));
  for (let at = 0; start && at + 512 <= start.length; at += 512) {
    const label = start.subarray(at, at + 512);
    if (label.toString('latin1', 0, 8) === 'LABELONE' && label.toString('latin1', 24, 32) === 'LVM2 001') return readHeader(source, label);
  }
  return null;
}

async function readHeader(source: ByteSource, label: Buffer): Promise<LvmMember> {
  const at = label.readUInt32LE(20);
  const member: LvmMember = { uuid: '', deviceBytes: 0, group: null, damage: null };
  if (at < 32 || at + 40 > label.length) return { ...member, damage: 'its header lies outside its label' };
  if (crc32(label.subarray(20), CRC_SEED, true) !== label.readUInt32LE(16)) return { ...member, damage: 'the checksum of its label is wrong' };
  member.uuid = dashed(label.toString('latin1', at, at + 32));
  member.deviceBytes = toSafeNumber(label.readBigUInt64LE(at + 32));
  const areas = metadataAreas(label, at + 40);
  try {
    for (const area of areas) member.group ??= await readArea(source, area);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    member.damage = error.message;
  }
  return member;
}

/** Two lists of (offset, size), each ended by a zero offset: data areas, then metadata areas. */
function metadataAreas(label: Buffer, from: number): number[] {
  const lists: number[][] = [[], []];
  let list = 0;
  for (let at = from; at + 16 <= label.length && list < 2; at += 16) {
    const offset = toSafeNumber(label.readBigUInt64LE(at));
    if (offset === 0) list++;
    else lists[list]?.push(offset);
  }
  return lists[1] ?? [];
}

async function readArea(source: ByteSource, offset: number): Promise<LvmGroup | null> {
  const header = await readWithin(source, offset, AREA_HEADER_BYTES);
  if (!header || header.toString('latin1', 4, 20) !== AREA_MAGIC) throw damaged('its metadata area has no header');
  if (crc32(header.subarray(4), CRC_SEED, true) !== header.readUInt32LE(0)) throw damaged('the checksum of its metadata area is wrong');
  const areaBytes = toSafeNumber(header.readBigUInt64LE(32));
  const textAt = toSafeNumber(header.readBigUInt64LE(40));
  const textBytes = toSafeNumber(header.readBigUInt64LE(48));
  if (textAt === 0 || textBytes === 0) return null;
  if (textBytes > Math.min(MAX_TEXT_BYTES, areaBytes) || textAt >= areaBytes) throw damaged('its metadata lies outside its area');
  const text = await readCircular(source, offset, areaBytes, textAt, textBytes);
  if (!text || crc32(text, CRC_SEED, true) !== header.readUInt32LE(56)) throw damaged('the checksum of its metadata is wrong');
  return groupOf(parseMetadataText(text.toString('utf8').replace(/\0+$/, '')));
}

/** The text runs in a circle through the area, after its header. */
async function readCircular(source: ByteSource, area: number, areaBytes: number, at: number, length: number): Promise<Buffer | null> {
  const first = Math.min(length, areaBytes - at);
  const head = await readWithin(source, area + at, first);
  const rest = await readWithin(source, area + AREA_HEADER_BYTES, length - first);
  return head && rest ? Buffer.concat([head, rest]) : null;
}

function groupOf(text: TextSection): LvmGroup | null {
  const found = Object.entries(text).find(([, value]) => isSection(value) && typeof value.seqno === 'number');
  if (!found || !isSection(found[1])) throw damaged('it names no volume group');
  const [name, section] = found;
  const volumes = isSection(section.physical_volumes) ? Object.values(section.physical_volumes) : [];
  const members = volumes.flatMap((volume) => (isSection(volume) && typeof volume.id === 'string' ? [volume.id] : []));
  return { name, uuid: typeof section.id === 'string' ? section.id : null, sequence: Number(section.seqno), members, text: section };
}

export function isSection(value: TextValue | undefined): value is TextSection {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** LVM prints its identifiers as groups of 6-4-4-4-4-4-6 characters. */
function dashed(id: string): string {
  return id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7').replace(/[^\w-]/g, '?');
}

function damaged(why: string): FormatError {
  return new FormatError({ code: 'lvm.damaged', message: why });
}
