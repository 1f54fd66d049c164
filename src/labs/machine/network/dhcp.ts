/** Messages of DHCP for IPv4: RFC 2131, 2; options: RFC 2132. */
import { toBytes, toText } from './addresses.js';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

export type DhcpKind = 'discover' | 'offer' | 'request' | 'decline' | 'ack' | 'nak' | 'release' | 'inform';

export interface DhcpRequest {
  kind: DhcpKind;
  /** What an answer repeats: hardware type and length, transaction, flags, relay, hardware address. */
  head: Buffer;
  mac: Buffer;
  /** Whether the client wants its answer as a broadcast. */
  broadcast: boolean;
  /** The address it has already, or null. */
  current: string | null;
  /** The address it asks for, or null. */
  requested: string | null;
  /** The server it has chosen, or null. */
  server: string | null;
  hostname: string | null;
}

export interface DhcpReply {
  kind: 'offer' | 'ack' | 'nak';
  /** Null in answer to an "inform", and in a refusal. */
  address: string | null;
  server: string;
  /** Null in a refusal. */
  network: { prefix: number; router: string; nameServer: string; leaseSeconds: number } | null;
}

const KINDS: readonly DhcpKind[] = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'];
const HEAD_BYTES = 236;
const COOKIE = Buffer.from([99, 130, 83, 99]);
const OPTION = { mask: 1, router: 3, nameServer: 6, hostname: 12, requested: 50, lease: 51, kind: 53, server: 54, end: 255 } as const;
const LEAST_BYTES = 300;

/** A message of a client, or null. */
export function parseDhcp(bytes: Buffer): DhcpRequest | null {
  if (bytes.length < HEAD_BYTES + 4 || bytes[0] !== 1 || !bytes.subarray(HEAD_BYTES, HEAD_BYTES + 4).equals(COOKIE)) return null;
  const options = parseOptions(bytes.subarray(HEAD_BYTES + 4));
  const kind = KINDS[(options.get(OPTION.kind)?.[0] ?? 0) - 1];
  if (!kind || bytes[1] !== 1 || bytes[2] !== 6) return null;
  const current = toText(bytes.subarray(12, 16));
  return {
    kind,
    head: bytes.subarray(0, HEAD_BYTES),
    mac: bytes.subarray(28, 34),
    broadcast: (bytes.readUInt16BE(10) & 0x8000) !== 0,
    current: current === '0.0.0.0' ? null : current,
    requested: addressOption(options, OPTION.requested),
    server: addressOption(options, OPTION.server),
    hostname: options.get(OPTION.hostname)?.toString('latin1').slice(0, 64) ?? null,
  };
}

/** The first of each; what is cut short ends them. */
function parseOptions(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at] ?? OPTION.end;
    if (code === OPTION.end) break;
    if (code === 0) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (at + 2 + length > bytes.length) break;
    if (!options.has(code)) options.set(code, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

function addressOption(options: Map<number, Buffer>, code: number): string | null {
  const bytes = options.get(code);
  return bytes?.length === 4 ? toText(bytes) : null;
}

export function buildDhcp(request: DhcpRequest, reply: DhcpReply): Buffer {
  const head = Buffer.from(request.head);
  head.writeUInt8(2, 0);
  head.fill(0, 3, 4); // hops
  head.fill(0, 8, 10); // seconds
  head.fill(0, reply.kind === 'ack' ? 16 : 12, 24); // an acknowledgement repeats the client's own address
  head.fill(0, 44); // server and boot file
  if (reply.address !== null) toBytes(reply.address).copy(head, 16);
  const bytes = Buffer.concat([head, COOKIE, ...optionsOf(reply), Buffer.from([OPTION.end])]);
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, LEAST_BYTES - bytes.length))]);
}

function optionsOf({ kind, server, network, address }: DhcpReply): Buffer[] {
  const first = [option(OPTION.kind, Buffer.from([KINDS.indexOf(kind) + 1])), option(OPTION.server, toBytes(server))];
  if (network === null) return first;
  const lease = Buffer.alloc(4);
  lease.writeUInt32BE(network.leaseSeconds);
  return [
    ...first,
    ...(address === null ? [] : [option(OPTION.lease, lease)]),
    option(OPTION.mask, netmask(network.prefix)),
    option(OPTION.router, toBytes(network.router)),
    option(OPTION.nameServer, toBytes(network.nameServer)),
  ];
}

function option(code: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([code, value.length]), value]);
}

function netmask(prefix: number): Buffer {
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
  return mask;
}
