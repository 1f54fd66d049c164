/** LDAP: a search for the root entry (RFC 4511, 4.5; RFC 4512, 5.1), which servers answer to anybody, or with an error that is an answer too. */
import { exchangeProbe, tcpProbe } from './dialogue.js';
import { encryptedExchange } from './encrypted.js';
import { answered, type Judged, notReady, other, type ServiceProbe } from './probe.js';

/** Message 1: base "", scope base, never dereferenced, no limit of size, 10 seconds, (objectClass=*), attribute 1.1 (none). */
const ROOT_SEARCH = ber(0x30, [
  ber(2, [Buffer.from([1])]),
  ber(0x63, [
    ...[ber(4, []), ber(0x0a, [Buffer.from([0])]), ber(0x0a, [Buffer.from([0])]), ber(2, [Buffer.from([0])]), ber(2, [Buffer.from([10])])],
    ...[ber(1, [Buffer.from([0])]), ber(0x87, [Buffer.from('objectClass')]), ber(0x30, [ber(4, [Buffer.from('1.1')])])],
  ]),
]);

/** An element of BER that is shorter than 128 bytes. */
function ber(tag: number, contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

/** Answers to a search: entry, end of search, extended response (which also tells of a disconnection). */
const ANSWERS: Record<number, string> = { 100: 'the root entry', 101: 'the end of a search', 120: 'an extended response', 115: 'a referral' };
/** resultCode busy, unavailable: RFC 4511, appendix A. */
const NOT_READY = new Set([51, 52]);

export function judgeLdap(bytes: Buffer): Judged | null {
  const message = element(bytes, 0);
  if (message === null) return bytes.length > 16_384 ? other(bytes) : null;
  const id = message === 'wrong' || message.tag !== 0x30 ? 'wrong' : element(message.content, 0);
  if (message === 'wrong' || id === 'wrong' || id === null || id.tag !== 2) return other(bytes);
  const operation = element(message.content, id.end);
  const name = operation !== null && operation !== 'wrong' ? ANSWERS[operation.tag] : undefined;
  if (!name || operation === null || operation === 'wrong') return other(bytes);
  const result = operation.tag === 0x65 || operation.tag === 0x78 ? element(operation.content, 0) : null;
  const code = result !== null && result !== 'wrong' && result.tag === 0x0a ? (result.content[0] ?? 0) : 0;
  const what = `LDAP answered with ${name}${code > 0 ? ` (result ${code})` : ''}`;
  return NOT_READY.has(code) ? notReady(what) : answered(what);
}

/** One element of BER with a definite length (RFC 4511, 5.1). Null: it is not whole yet. */
function element(bytes: Buffer, at: number): { tag: number; content: Buffer; end: number } | 'wrong' | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > 4) return 'wrong';
  if (bytes.length < at + 2 + more) return null;
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  if (length > 1024 * 1024) return 'wrong';
  return bytes.length < start + length ? null : { tag, content: bytes.subarray(start, start + length), end: start + length };
}

const steps = { say: ROOT_SEARCH, judge: judgeLdap };

export const LDAP_PROBES: ServiceProbe[] = [
  exchangeProbe('ldap', 389, steps),
  tcpProbe('ldaps', 636, (conversation, scene) => encryptedExchange(conversation, scene, steps)),
];
