/**
 * Who gets which address by DHCP (RFC 2131, 4.3): what the card had before the backup, else what the guest asks for, else one of a
 * network that is set aside for tests (198.18.0.0/15, RFC 2544). Services may be bound to an address that a server always gave them.
 */
import type { NetworkOffer } from '../../../types.js';
import type { KnownLease } from '../../lab.js';
import { familyOf, isHostAddress, isLinkLocal, macText } from './addresses.js';
import type { DhcpReply, DhcpRequest } from './dhcp.js';

/**
 * What a guest that asks by DHCP should be given, as its own files say: what it had before, then what its services are bound to and no
 * setting of its own gives it.
 */
export function knownLeases({ services, addresses }: NetworkOffer): KnownLease[] {
  if (!addresses.some(({ method }) => method === 'dhcp' || method === 'lease')) return [];
  const former = addresses.filter(({ method }) => method === 'lease');
  const bound = services.filter(({ reachable, address }) => reachable && address !== null && !addresses.some((own) => own.address === address));
  const leases = [...former, ...bound.map(({ address }) => ({ mac: null, address, prefix: null, gateway: null }))];
  return leases.flatMap(({ mac, address, prefix, gateway }) =>
    address !== null && familyOf(address) === 4 && isPlausible(address) ? [{ mac, address, prefix: prefix ?? USUAL_PREFIX, gateway }] : [],
  );
}

const USUAL_PREFIX = 24;
const TEST_NETWORK = '198.18.0.';
const FIRST_HOST = 10;
const MAX_LEASES = 64;
const LEASE_SECONDS = 86_400;

export class Leases {
  private readonly given = new Map<string, KnownLease>();

  constructor(private readonly known: readonly KnownLease[]) {}

  /** Null: nothing is to be said. */
  answer(request: DhcpRequest): DhcpReply | null {
    if (request.kind === 'discover') return this.reply('offer', this.leaseFor(request));
    if (request.kind === 'inform') return request.current === null ? null : { ...this.reply('ack', leaseOf(request.current)), address: null };
    if (request.kind === 'decline') this.given.delete(macText(request.mac));
    return request.kind === 'request' ? this.confirm(request) : null;
  }

  /** A client that boots again, renews or has chosen: it gets the address that it names, unless no host could have it. */
  private confirm(request: DhcpRequest): DhcpReply {
    const named = request.requested ?? request.current;
    const lease = this.leaseFor(request);
    const server = request.server ?? gatewayOf(lease);
    if (named !== null && named !== lease.address) return { kind: 'nak', address: null, server, network: null };
    return { ...this.reply('ack', lease), server };
  }

  private leaseFor(request: DhcpRequest): KnownLease {
    const client = macText(request.mac);
    const lease = this.known.find(({ mac, address }) => mac?.toLowerCase() === client && this.isFree(address, client)) ?? this.choose(request, client);
    if (this.given.size < MAX_LEASES || this.given.has(client)) this.given.set(client, lease);
    return lease;
  }

  private choose(request: DhcpRequest, client: string): KnownLease {
    const wanted = request.requested ?? request.current;
    if (wanted !== null && isPlausible(wanted) && this.isFree(wanted, client)) return this.asKnown(wanted);
    const before = this.given.get(client);
    if (before) return before;
    const open = this.known.find(({ mac, address }) => mac === null && this.isFree(address, client));
    return open ?? leaseOf(`${TEST_NETWORK}${FIRST_HOST + this.given.size}`);
  }

  /** With the network that is known of the address. */
  private asKnown(address: string): KnownLease {
    return this.known.find((lease) => lease.address === address) ?? leaseOf(address);
  }

  private isFree(address: string, client: string): boolean {
    return ![...this.given].some(([holder, lease]) => holder !== client && lease.address === address);
  }

  private reply(kind: 'offer' | 'ack', lease: KnownLease): DhcpReply {
    const router = gatewayOf(lease);
    return { kind, address: lease.address, server: router, network: { prefix: lease.prefix, router, nameServer: router, leaseSeconds: LEASE_SECONDS } };
  }
}

function isPlausible(address: string): boolean {
  return isHostAddress(address) && !isLinkLocal(address) && !address.endsWith('.0') && !address.endsWith('.255');
}

/** An address of which no more is known lies in a network of 254, with its first host as the router. */
function leaseOf(address: string): KnownLease {
  return { mac: null, address, prefix: USUAL_PREFIX, gateway: null };
}

function gatewayOf({ address, gateway }: KnownLease): string {
  if (gateway !== null) return gateway;
  const network = address.slice(0, address.lastIndexOf('.'));
  return address === `${network}.1` ? `${network}.254` : `${network}.1`;
}
