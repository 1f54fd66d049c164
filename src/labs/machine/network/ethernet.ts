/** Ethernet frames with their VLAN tags: IEEE 802.3, 802.1Q, 802.1ad. */

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, lldp: 0x88cc } as const;
const TAGS = new Set([0x8100, 0x88a8, 0x9100]);
const MAX_TAGS = 2;
/** Without the checksum, which the card adds. Shorter ones are padded, as on a wire. */
const LEAST_BYTES = 60;

export interface VlanTag {
  /** 0x8100 or 0x88a8. */
  type: number;
  id: number;
}

export interface EthernetFrame {
  destination: Buffer;
  source: Buffer;
  /** Outermost first. */
  tags: VlanTag[];
  /** Below 0x600 it is a length, and the payload begins with LLC. */
  type: number;
  payload: Buffer;
}

/** Null when it is cut short or has more tags than anybody uses. */
export function parseEthernet(bytes: Buffer): EthernetFrame | null {
  if (bytes.length < 14) return null;
  const tags: VlanTag[] = [];
  let at = 12;
  let type = bytes.readUInt16BE(at);
  while (TAGS.has(type)) {
    if (tags.length === MAX_TAGS || bytes.length < at + 6) return null;
    tags.push({ type, id: bytes.readUInt16BE(at + 2) & 0xfff });
    at += 4;
    type = bytes.readUInt16BE(at);
  }
  return { destination: bytes.subarray(0, 6), source: bytes.subarray(6, 12), tags, type, payload: bytes.subarray(at + 2) };
}

export function buildEthernet({ destination, source, tags, type, payload }: EthernetFrame): Buffer {
  const head = Buffer.alloc(14 + 4 * tags.length);
  destination.copy(head, 0);
  source.copy(head, 6);
  for (const [index, tag] of tags.entries()) {
    head.writeUInt16BE(tag.type, 12 + 4 * index);
    head.writeUInt16BE(tag.id & 0xfff, 14 + 4 * index);
  }
  head.writeUInt16BE(type, head.length - 2);
  const padding = Buffer.alloc(Math.max(0, LEAST_BYTES - head.length - payload.length));
  return Buffer.concat([head, payload, padding]);
}
