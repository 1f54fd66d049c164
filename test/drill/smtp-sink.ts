/** A mail server for tests: it speaks as much SMTP as a client of one mail needs, and keeps every line it was sent. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

export interface SinkOptions {
  /** PEM. */
  key: string;
  cert: string;
  starttls?: boolean;
  tls?: boolean;
  /** Lines that it answers with 550. */
  refuse?: RegExp;
}

export interface Sink {
  port: number;
  lines: string[];
  /** Number of lines that came in the clear; -1: all. */
  encryptedFrom: () => number;
  close: () => void;
}

export async function smtpSink(options: SinkOptions): Promise<Sink> {
  const lines: string[] = [];
  const state = { encryptedFrom: -1 };
  const context = createSecureContext(options);
  const server = createServer((socket) => {
    const spoken = options.tls ? new TLSSocket(socket, { isServer: true, secureContext: context }) : socket;
    spoken.write('220 sink ESMTP\r\n');
    new Session(options, context, lines, state).serve(spoken, options.tls ?? false);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as AddressInfo).port, lines, encryptedFrom: () => state.encryptedFrom, close: () => void server.close() };
}

class Session {
  private buffer = '';
  private inMessage = false;

  constructor(
    private readonly options: SinkOptions,
    private readonly context: SecureContext,
    private readonly lines: string[],
    private readonly state: { encryptedFrom: number },
  ) {}

  serve(socket: Socket, encrypted: boolean): void {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text) => {
      this.buffer += text;
      for (let end = this.buffer.indexOf('\r\n'); end >= 0; end = this.buffer.indexOf('\r\n')) {
        const line = this.buffer.slice(0, end);
        this.buffer = this.buffer.slice(end + 2);
        this.lines.push(line);
        const reply = this.answer(line, encrypted);
        if (reply) socket.write(`${reply}\r\n`);
        if (line === 'STARTTLS' && reply.startsWith('220')) return this.encrypt(socket);
      }
    });
  }

  private encrypt(socket: Socket): void {
    this.state.encryptedFrom = this.lines.length;
    socket.removeAllListeners('data');
    this.serve(new TLSSocket(socket, { isServer: true, secureContext: this.context }), true);
  }

  private answer(line: string, encrypted: boolean): string {
    if (this.options.refuse?.test(line)) return '550 no';
    if (this.inMessage) {
      this.inMessage = line !== '.';
      return this.inMessage ? '' : '250 queued';
    }
    const [verb = ''] = line.split(' ');
    this.inMessage = verb === 'DATA';
    const offers = this.options.starttls && !encrypted ? '250-STARTTLS\r\n' : '';
    const replies: Record<string, string> = { EHLO: `250-sink\r\n${offers}250 AUTH LOGIN PLAIN`, DATA: '354 go on', AUTH: '235 welcome', STARTTLS: '220 go' };
    return replies[verb] ?? '250 ok';
  }
}
