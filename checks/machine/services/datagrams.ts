/** Services that are asked by datagrams: names and time. */
import type { GuestNetwork } from '../../../src/labs/lab.js';
import { exchange, talk, withoutConversation } from './dialogue.js';
import { answered, type Judged, other, type ProbeOptions, quoted, type ServiceAnswer, type ServiceProbe } from './probe.js';

/** Who serves the root, without asking others for it: every server answers at once, if only to refuse. RFC 1035, 4.1. */
const DNS_QUERY = Buffer.from(['5350', '0000', '0001', '000000000000', '00', '0002', '0001'].join(''), 'hex');
const RESPONSE_CODES = ['no error', 'format error', 'server failure', 'no such name', 'not implemented', 'refused'];

function judgeDns(bytes: Buffer): Judged {
  const isAnswer = bytes.length >= 12 && bytes.readUInt16BE(0) === DNS_QUERY.readUInt16BE(0) && (bytes.readUInt16BE(2) & 0x8000) !== 0;
  if (!isAnswer) return other(bytes);
  const code = bytes.readUInt16BE(2) & 0xf;
  return answered(`the name server answered (${RESPONSE_CODES[code] ?? `response code ${code}`})`);
}

/** Over TCP a length goes before the message: RFC 7766, 8. */
const dnsOverTcp = {
  say: Buffer.concat([Buffer.from([0, DNS_QUERY.length]), DNS_QUERY]),
  judge: (bytes: Buffer): Judged | null => (bytes.length >= 2 && bytes.length >= 2 + Math.min(12, bytes.readUInt16BE(0)) ? judgeDns(bytes.subarray(2)) : null),
};

/** A client's question of version 4: RFC 5905, 7.3. */
const NTP_QUESTION = Buffer.concat([Buffer.from([0x23]), Buffer.alloc(39), Buffer.from('534e4150534e4150', 'hex')]);

function judgeNtp(bytes: Buffer): Judged {
  if (bytes.length < 48 || ((bytes[0] ?? 0) & 7) !== 4 || !bytes.subarray(24, 32).equals(NTP_QUESTION.subarray(40))) return other(bytes);
  const stratum = bytes[1] ?? 0;
  return answered(stratum === 0 ? `the time server answered ${quoted(bytes.subarray(12, 16))}` : `the time server answered (stratum ${stratum})`);
}

async function ask(network: GuestNetwork, address: string, port: number, question: Buffer, options: ProbeOptions, judge: (bytes: Buffer) => Judged) {
  const start = performance.now();
  const result = (answer: Omit<ServiceAnswer, 'milliseconds' | 'answered'>): ServiceAnswer => {
    return { answered: answer.state === 'answered', ...answer, milliseconds: Math.round(performance.now() - start) };
  };
  try {
    const bytes = await network.ask(address, port, question, options);
    if (bytes !== null) return result({ ...judge(bytes), proves: 'service' });
    return result({ state: 'silent', proves: null, what: `${address} did not answer at UDP port ${port} within ${options.timeoutMs / 1000} s` });
  } catch (error) {
    return result(await withoutConversation(error, network, address));
  }
}

/** Both ways: one that answers is enough, and what the other did is told. */
const dns: ServiceProbe = {
  ...{ name: 'dns', defaultPort: 53, transport: 'udp' },
  async probe(network, address, port, options) {
    const [datagram, connection] = await Promise.all([
      ask(network, address, port, DNS_QUERY, options, judgeDns),
      talk(network, address, port, options, (it, scene) => exchange(it, scene, dnsOverTcp)),
    ]);
    const [better, worse, ways] = datagram.answered || !connection.answered ? [datagram, connection, ['UDP', 'TCP']] : [connection, datagram, ['TCP', 'UDP']];
    if (worse.answered) return { ...better, what: `${better.what}, over UDP and TCP` };
    return { ...better, what: better.answered ? `${better.what}, over ${ways[0]} only: ${worse.what}` : `${better.what}; ${worse.what}` };
  },
};

const ntp: ServiceProbe = {
  ...{ name: 'ntp', defaultPort: 123, transport: 'udp' },
  probe: (network, address, port, options) => ask(network, address, port, NTP_QUESTION, options, judgeNtp),
};

export const DATAGRAM_PROBES: ServiceProbe[] = [dns, ntp];
