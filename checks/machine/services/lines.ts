/** Protocols of lines of text: the server's first line, or its answer to ours, says what it is. */

import { type Exchange, exchangeProbe, type Scene, tcpProbe } from './dialogue.js';
import { encryptedExchange } from './encrypted.js';
import { answered, type Judged, notReady, other, quoted, type ServiceProbe } from './probe.js';

/** No line of these protocols is longer, and no server says so much before it says what it is. */
const MAX_LINE_BYTES = 8192;

/** The first line without its end; null as long as it is not whole. */
function firstLine(bytes: Buffer): Buffer | null {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf(0x0a);
  if (end < 0) return bytes.length < MAX_LINE_BYTES ? null : bytes.subarray(0, MAX_LINE_BYTES);
  return bytes.subarray(0, end > 0 && bytes[end - 1] === 0x0d ? end - 1 : end);
}

/** By the first line: what greets, what says "not now", and all else. */
function greeting(good: RegExp, bad: RegExp | null): Exchange {
  const judge = (bytes: Buffer): Judged | null => {
    const line = firstLine(bytes);
    if (line === null) return null;
    const text = line.toString('latin1');
    if (good.test(text)) return answered(quoted(line));
    return bad?.test(text) ? notReady(`it answered that it cannot serve: ${quoted(line)}`) : other(line);
  };
  return { judge };
}

const requestLines = ({ host }: Scene) =>
  Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: snapproof\r\nAccept: */*\r\nConnection: close\r\n\r\n`, 'latin1');

/** RFC 9112, 4: any status is an answer of the server; which one is told. */
const httpExchange: Exchange = { ...greeting(/^HTTP\/\d(\.\d)? [1-5]\d\d( |$)/, null), say: requestLines };

/** RFC 4253, 4.2: other lines may come before the one that counts. */
const sshExchange: Exchange = {
  judge(bytes) {
    const found = /(?:^|\n)(SSH-\d\.[^\r\n]*)\r?\n/.exec(bytes.toString('latin1', 0, MAX_LINE_BYTES));
    if (found) return answered(quoted(found[1] ?? ''));
    return bytes.length >= MAX_LINE_BYTES ? other(bytes) : null;
  },
};

/** RFC 5321, 3.1: 220 greets, 421 and 554 send away. */
const smtpExchange = greeting(/^220[ -]/, /^[45]\d\d[ -]/);

export const LINE_PROBES: ServiceProbe[] = [
  exchangeProbe('http', 80, httpExchange),
  tcpProbe('https', 443, (conversation, scene) => encryptedExchange(conversation, scene, httpExchange)),
  tcpProbe('tls', 443, (conversation, scene) => encryptedExchange(conversation, scene, null)),
  exchangeProbe('ssh', 22, sshExchange),
  exchangeProbe('smtp', 25, smtpExchange),
  tcpProbe('smtps', 465, (conversation, scene) => encryptedExchange(conversation, scene, smtpExchange)),
  // RFC 9051, 7.1; RFC 1939, 4; RFC 959, 5.4
  exchangeProbe('imap', 143, greeting(/^\* (OK|PREAUTH)\b/i, /^\* BYE\b/i)),
  tcpProbe('imaps', 993, (conversation, scene) => encryptedExchange(conversation, scene, greeting(/^\* (OK|PREAUTH)\b/i, /^\* BYE\b/i))),
  exchangeProbe('pop3', 110, greeting(/^\+OK/, /^-ERR/)),
  tcpProbe('pop3s', 995, (conversation, scene) => encryptedExchange(conversation, scene, greeting(/^\+OK/, /^-ERR/))),
  exchangeProbe('ftp', 21, greeting(/^(220|120)[ -]/, /^[45]\d\d[ -]/)),
];
