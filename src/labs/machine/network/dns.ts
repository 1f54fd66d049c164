/**
 * The answer to every question for a name: SERVFAIL (RFC 1035, 4.1.1).
 * It comes at once, so that no boot waits for a resolver's timers. It says "not now" and not "there is no such name" (NXDOMAIN), because the
 * second would be a lie that programs act on for good: mail is returned to its sender, a time server is given up, a host is dropped from a
 * configuration. After SERVFAIL they go on and try again later, as on the day of a real restore before the network is there.
 */

const HEADER_BYTES = 12;
const MAX_LABELS = 128;
const SERVFAIL = 2;

export interface DnsQuestion {
  id: number;
  /** `example.org`; bytes outside printable ASCII as `?`. */
  name: string;
  /** Opcode and "recursion desired", as asked. */
  flags: number;
  /** As it lies in the message. */
  bytes: Buffer;
}

/** The one question of a query, or null when it is no query that could be answered. */
export function parseQuestion(message: Buffer): DnsQuestion | null {
  if (message.length < HEADER_BYTES) return null;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0 || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (; labels.length < MAX_LABELS; ) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += 1 + length;
    if (length === 0) break;
    labels.push(message.toString('latin1', at - length, at).replace(/[^\x21-\x7e]/g, '?'));
  }
  if (at + 4 > message.length || at - HEADER_BYTES > 255) return null;
  return { id: message.readUInt16BE(0), name: labels.join('.'), flags: flags & 0x7900, bytes: message.subarray(HEADER_BYTES, at + 4) };
}

export function serverFailure(question: DnsQuestion): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(question.id, 0);
  head.writeUInt16BE(0x8080 | question.flags | SERVFAIL, 2);
  head.writeUInt16BE(1, 4);
  return Buffer.concat([head, question.bytes]);
}
