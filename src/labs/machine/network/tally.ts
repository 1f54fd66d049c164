/** What the guest sent, counted by kind, and where it wanted to go: evidence that nothing of it came out. */
import type { OutsideAttempt } from '../../lab.js';

const MAX_ATTEMPTS = 100;

export type FrameKind =
  | 'arp'
  | 'dhcp'
  | 'dns'
  | 'udp'
  | 'tcp'
  | 'icmp'
  | 'igmp'
  | 'ipv4-fragment'
  | 'ipv4-other'
  | 'ipv6-nd'
  | 'icmpv6'
  | 'ipv6-fragment'
  | 'ipv6-other'
  | 'lldp'
  | 'llc'
  | 'malformed'
  | 'other';

export class Tally {
  readonly frames: Record<string, number> = {};
  readonly attempts: OutsideAttempt[] = [];
  /** All frames. */
  total = 0;

  count(kind: FrameKind): void {
    this.total++;
    this.frames[kind] = (this.frames[kind] ?? 0) + 1;
  }

  /** Besides its kind. */
  countTagged(): void {
    this.frames['vlan-tagged'] = (this.frames['vlan-tagged'] ?? 0) + 1;
  }

  /** Each destination once, with how often; of more than a hundred the first. */
  attempt(protocol: OutsideAttempt['protocol'], address: string, port: number, name: string | null = null): void {
    const same = this.attempts.find((known) => known.protocol === protocol && known.address === address && known.port === port && known.name === name);
    if (same) same.count++;
    else if (this.attempts.length < MAX_ATTEMPTS) this.attempts.push({ protocol, address, port, name, count: 1 });
  }
}
