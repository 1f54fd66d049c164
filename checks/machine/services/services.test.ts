/** The probes against servers that say what each test makes them say. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LabError } from '../../../src/errors.js';
import type { GuestConversation } from '../../../src/labs/lab.js';
import { hostNetwork } from '../testing/host-network.js';
import { probeOf, SERVICE_PROBES, type ServiceAnswer } from './all.js';
import { quoted } from './probe.js';

const soon = { timeoutMs: 400 };

async function serve(speak: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    speak(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function ask(protocol: string, port: number, options = soon): Promise<ServiceAnswer> {
  const probe = probeOf(protocol);
  if (!probe) throw new Error(`there is no probe of ${protocol}`);
  return probe.probe(hostNetwork(), '127.0.0.1', port, options);
}

/** What a probe makes of a server that says this when somebody has connected, or has said something. */
async function hearing(protocol: string, says: string, when: 'connected' | 'asked' = 'connected'): Promise<ServiceAnswer> {
  const bytes = Buffer.from(says, 'latin1');
  const port = await serve((socket) => (when === 'connected' ? socket.write(bytes) : socket.once('data', () => socket.write(bytes))));
  return ask(protocol, port);
}

const error = (code: string, text: string) => {
  const fields = `SFATAL\0C${code}\0M${text}\0\0`;
  return `E\0\0\0${String.fromCharCode(4 + fields.length)}${fields}`;
};
const packet = (body: string) => `${String.fromCharCode(body.length)}\0\0\0${body}`;
const LDAP_DONE = (code: string) => `0\x0c\x02\x01\x01\x65\x07\x0a\x01${code}\x04\0\x04\0`;

const ANSWERED: [protocol: string, says: string, what: RegExp][] = [
  ['http', 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n', /^"HTTP\/1\.1 200 OK"$/],
  ['http', 'HTTP/1.0 503 Busy\n', /503 Busy/],
  ['ssh', 'SSH-2.0-OpenSSH_9.2p1 Debian\r\n', /SSH-2\.0-OpenSSH_9\.2p1 Debian/],
  ['ssh', 'Welcome to \x1b[31mred\r\nSSH-2.0-x\r\n', /^"SSH-2\.0-x"$/],
  ['smtp', '220-one\r\n220 two ESMTP\r\n', /220-one/],
  ['imap', '* OK [CAPABILITY IMAP4rev1] ready\r\n', /ready/],
  ['pop3', '+OK hello\r\n', /hello/],
  ['ftp', '220 (vsFTPd 3.0.3)\r\n', /vsFTPd/],
  ['postgresql', 'R\0\0\0\x08\0\0\0\x05', /who is there/],
  ['postgresql', error('28000', 'no pg_hba.conf entry'), /28000.*no pg_hba/],
  ['mysql', packet('\x0a10.11.6-MariaDB\0rest'), /10\.11\.6-MariaDB/],
  ['mysql', packet('\xff\x6a\x04Host is not allowed'), /error 1130.*not allowed/],
  ['redis', '+PONG\r\n', /PONG/],
  ['redis', '-NOAUTH Authentication required.\r\n', /NOAUTH/],
  ['redis', '-DENIED Redis is running in protected mode\r\n', /DENIED/],
  ['mssql', '\x04\x01\0\x2b\0\0\x01\0\0\0', /prelogin/],
  ['ldap', LDAP_DONE('\0'), /end of a search/],
  ['ldap', LDAP_DONE('\x32'), /result 50/],
  ['ldap', '0\x0d\x02\x01\x01\x64\x08\x04\0\x30\x04\x30\x02\x04\0', /root entry/],
  ['rdp', '\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0', /confirmed/],
  ['smb', '\0\0\0\x40\xfeSMB@\0\0\0', /SMB 2 or 3/],
  ['smb', '\0\0\0\x40\xffSMBr\0\0\0', /SMB 1/],
  ['dns', '\0\x0c\x53\x50\x80\x05\0\0\0\0\0\0\0\0', /refused\), over TCP only/],
  ['tls', '\x15\x03\x01\0\x02\x02\x28', /TLS answered/],
];

const NOT_READY: [protocol: string, says: string, what: RegExp][] = [
  ['postgresql', error('57P03', 'the database system is starting up'), /57P03.*starting up/],
  ['mysql', packet('\xff\x10\x04Too many connections'), /error 1040/],
  ['redis', '-LOADING Redis is loading the dataset in memory\r\n', /LOADING/],
  ['smtp', '421 too busy\r\n', /421 too busy/],
  ['ftp', '421 no\r\n', /421/],
  ['imap', '* BYE overloaded\r\n', /BYE/],
  ['ldap', LDAP_DONE('\x34'), /result 52/],
];

const NAMES = SERVICE_PROBES.filter(({ transport }) => transport === 'tcp').map(({ name }) => name);

describe('a service', () => {
  it.each(ANSWERED)('%s answers with %j', async (protocol, says, what) => {
    const when = /^(ssh|smtp|imap|pop3|ftp|mysql)$/.test(protocol) ? 'connected' : 'asked';
    expect(await hearing(protocol, says, when)).toMatchObject({ answered: true, state: 'answered', proves: 'service', what: expect.stringMatching(what) });
  });

  it.each(NOT_READY)('%s says that it cannot serve with %j', async (protocol, says, what) => {
    expect(await hearing(protocol, says)).toMatchObject({ answered: false, state: 'not-ready', proves: 'service', what: expect.stringMatching(what) });
  });

  it.each(NAMES.filter((name) => name !== 'tcp'))('%s is not taken for another that speaks', async (protocol) => {
    expect(await hearing(protocol, '999 this is \x1b[2J something else entirely\r\n'.repeat(300))).toMatchObject({
      answered: false,
      state: 'other',
      proves: 'service',
    });
  });

  it.each(NAMES)('%s that accepts and says nothing proves the kernel alone', async (protocol) => {
    const answer = await ask(protocol, await serve(() => undefined), { timeoutMs: 150 });
    expect(answer).toMatchObject({ answered: protocol === 'tcp', state: protocol === 'tcp' ? 'answered' : 'mute', proves: 'kernel' });
  });

  it.each(NAMES)('%s that closes at once is no service', async (protocol) => {
    const answer = await ask(protocol, await serve((socket) => socket.end()));
    expect(answer).toMatchObject({ answered: protocol === 'tcp', proves: 'kernel', what: expect.stringContaining('without a word') });
  });

  it.each(SERVICE_PROBES.map(({ name }) => name))('%s is refused where nobody listens', async (protocol) => {
    const port = await serve(() => undefined);
    const free = port === 65_535 ? port - 1 : port + 1;
    expect(await ask(protocol, free)).toMatchObject({ answered: false, state: 'refused', proves: 'kernel' });
  });

  it('that says something by itself proves more than an open port', async () => {
    expect(await hearing('tcp', 'hi\x07\\')).toMatchObject({ answered: true, proves: 'service', what: expect.stringContaining('"hi\\x07\\x5c"') });
  });
});

describe('silence', () => {
  it('of a datagram is no answer', async () => {
    const network = { ...hostNetwork([]), ask: async () => null };
    expect(await probeOf('ntp')?.probe(network, '127.0.0.1', 123, soon)).toMatchObject({ answered: false, state: 'silent', proves: null });
  });

  it.each([
    [['192.0.2.1'], 'link'],
    [[], null],
  ])('of a port, when %j is there, proves %s', async (present, proves) => {
    const network = { ...hostNetwork(present), connect: () => Promise.reject(new LabError({ code: 'network.silent', message: 'it was silent' })) };
    expect(await probeOf('http')?.probe(network, '192.0.2.1', 80, soon)).toMatchObject({ answered: false, state: 'silent', proves });
  });
});

describe('datagrams', () => {
  async function answering(answer: (question: Buffer) => Buffer): Promise<number> {
    const socket = createSocket('udp4');
    socket.on('message', (question, from) => socket.send(answer(question), from.port, from.address));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return socket.address().port;
  }

  it('find a name server', async () => {
    const port = await answering((question) => Buffer.concat([question.subarray(0, 2), Buffer.from('8183', 'hex'), question.subarray(4)]));
    expect(await ask('dns', port)).toMatchObject({ answered: true, what: expect.stringMatching(/no such name\), over UDP only: it was refused/) });
  });

  it('find a time server, and one of another question is none', async () => {
    const answer = (question: Buffer) => {
      const bytes = Buffer.alloc(48);
      bytes.set([0x24, 2]);
      question.copy(bytes, 24, 40, 48);
      return bytes;
    };
    expect(await ask('ntp', await answering(answer))).toMatchObject({ answered: true, what: expect.stringContaining('stratum 2') });
    expect(await ask('ntp', await answering(() => answer(Buffer.alloc(48))))).toMatchObject({ answered: false, state: 'other' });
  });
});

/** Says it once, and ends. */
function saying(bytes: Buffer): GuestConversation {
  let said = false;
  return {
    get ended() {
      return said ? ('closed' as const) : null;
    },
    write: async () => undefined,
    readUntil: async () => {
      const rest = said ? Buffer.alloc(0) : bytes;
      said = true;
      return rest;
    },
    close: async () => undefined,
  };
}

describe('what a guest says', () => {
  it('is harmless and short in every answer', async () => {
    const start = fc.constantFrom(
      '',
      'HTTP/1.1 200 ',
      'SSH-2.0-',
      '220 ',
      'E\0\0\0\x20C57P03\0',
      '\x20\0\0\0\x0a',
      '0\x84',
      '\x03\0\0\x13',
      '\0\0\0\x20\xfeSMB',
      '\x16\x03',
      '+OK',
      '-',
    );
    const property = fc.asyncProperty(fc.constantFrom(...NAMES), start, fc.uint8Array({ maxLength: 300 }), async (protocol, head, rest) => {
      const bytes = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(rest)]);
      const network = { ...hostNetwork(), connect: async () => saying(bytes) };
      const answer = await probeOf(protocol)?.probe(network, '127.0.0.1', 1, { timeoutMs: 50 });
      expect(answer?.what).toMatch(/^[\x20-\x7e]{1,900}$/);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('is quoted byte by byte', () => {
    expect(quoted('plain "text"')).toBe('"plain "text""');
    expect(quoted(Buffer.from('\x00\x1b[31m\xff\\', 'latin1'))).toBe('"\\x00\\x1b[31m\\xff\\x5c"');
    expect(quoted('x'.repeat(500))).toBe(`"${'x'.repeat(120)}"...`);
  });
});
