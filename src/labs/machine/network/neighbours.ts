/**
 * The guest's own addresses, and where each is. Learnt from all that it sends; addresses that it only asks for are never among them.
 */
import { familyOf, isHostAddress, isLinkLocal, toBytes, toText } from './addresses.js';
import type { VlanTag } from './ethernet.js';
import type { Link } from './link.js';

/** A way to somebody on the link: a card of the guest, the virtual network within it, and the address of the card. */
export interface Path {
  link: Link;
  tags: VlanTag[];
  mac: Buffer;
}

const MAX_ADDRESSES = 64;
/** An address is claimed with three or four questions without sender (RFC 5227, 2.1.1). Somebody who goes on asking watches a link instead, and wants an answer. */
const MAX_CLAIM_PROBES = 10;

export class Neighbours {
  private readonly known = new Map<string, Path>();
  /** Asked for without a sender, and not used yet. */
  private readonly claimed = new Map<string, { path: Path; times: number }>();

  get addresses(): string[] {
    const claimed = [...this.claimed].filter(([, { times }]) => times <= MAX_CLAIM_PROBES).map(([address]) => address);
    return [...this.known.keys(), ...claimed];
  }

  pathTo(address: string): Path | null {
    const claim = this.claimed.get(address);
    return this.known.get(address) ?? (claim && claim.times <= MAX_CLAIM_PROBES ? claim.path : null);
  }

  has(address: string): boolean {
    return this.pathTo(address) !== null;
  }

  /** The guest speaks as `address`. */
  learn(address: string, path: Path): void {
    if (!isHostAddress(address)) return;
    const old = this.known.get(address);
    if (!old && this.known.size >= MAX_ADDRESSES) return;
    this.claimed.delete(address);
    if (!old || !isSamePath(old, path)) this.known.set(address, lasting(path));
  }

  /** The guest asks without a sender whether somebody has `address`: as a rule because it is about to use it. @returns whether it is to be answered */
  probed(address: string, path: Path): boolean {
    if (this.known.has(address) || !isHostAddress(address)) return false;
    const claim = this.claimed.get(address) ?? { path: lasting(path), times: 0 };
    claim.times++;
    if (this.claimed.size < MAX_ADDRESSES) this.claimed.set(address, claim);
    return claim.times > MAX_CLAIM_PROBES;
  }

  /**
   * An address for us, from which the guest can be spoken to whatever its network mask is: a neighbour in the smallest network that holds
   * its own address. Of IPv6 one in the same /64, or on the link.
   */
  ownFor(address: string, linkLocal: string): string {
    if (familyOf(address) === 6) return isLinkLocal(address) ? linkLocal : this.besideIpv6(address, linkLocal);
    const bytes = toBytes(address);
    const value = bytes.readUInt32BE();
    const candidates = [1, 2, 5, 6, 9, 10, 13, 14].map((offset) => (((value & ~3) >>> 0) ^ (offset & ~3)) + (offset & 3));
    const texts = candidates.map(ipv4Text).filter((text) => text !== address);
    return texts.find((text) => !this.has(text)) ?? texts[0] ?? address;
  }

  private besideIpv6(address: string, linkLocal: string): string {
    const own = toText(Buffer.concat([toBytes(address).subarray(0, 8), toBytes(linkLocal).subarray(8)]));
    return own === address ? linkLocal : own;
  }
}

function isSamePath(a: Path, b: Path): boolean {
  return a.link === b.link && a.mac.equals(b.mac) && a.tags.length === b.tags.length && a.tags.every((tag, index) => tag.id === b.tags[index]?.id);
}

/** Without the frame that it was read from. */
function lasting(path: Path): Path {
  return { link: path.link, tags: path.tags, mac: Buffer.from(path.mac) };
}

function ipv4Text(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return toText(bytes);
}
