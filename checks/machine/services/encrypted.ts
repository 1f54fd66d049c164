/** TLS over a conversation with the guest. The certificate is not judged: it may have run out, and nobody here is its name. */
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { GuestConversation } from '../../../src/labs/lab.js';
import { type Exchange, exchange, type Scene } from './dialogue.js';
import { answered, type Judged, other, quoted } from './probe.js';

const READ_MS = 1000;
/** Types of TLS records that a server begins with: RFC 8446, 5.1. */
const ALERT = 21;
const HANDSHAKE = 22;

/** The conversation as a stream; what comes first of it is kept. */
class ConversationStream extends Duplex {
  first: Buffer = Buffer.alloc(0);
  private reading = false;

  constructor(private readonly conversation: GuestConversation) {
    super();
  }

  override _read(): void {
    if (this.reading) return;
    this.reading = true;
    this.pull().then(
      (bytes) => {
        this.reading = false;
        this.push(bytes);
      },
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.conversation.write(chunk).then(() => done(), done);
  }

  /** Null: nothing more comes. */
  private async pull(): Promise<Buffer | null> {
    while (!this.destroyed) {
      const bytes = await this.conversation.readUntil(() => true, { timeoutMs: READ_MS });
      if (this.first.length < 5) this.first = Buffer.concat([this.first, bytes]).subarray(0, 200);
      if (bytes.length > 0) return bytes;
      if (this.conversation.ended !== null) return null;
    }
    return null;
  }
}

/**
 * A handshake, then the exchange inside it; without one the handshake is the answer. An alert instead is an answer too: it was TLS that spoke.
 */
export async function encryptedExchange(conversation: GuestConversation, scene: Scene, steps: Exchange | null): Promise<Judged | null> {
  const stream = new ConversationStream(conversation);
  const servername = isIP(scene.host.replace(/^\[|\]$/g, '')) === 0 ? scene.host : '';
  const socket = connect({ socket: stream, rejectUnauthorized: false, servername, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
  const trouble = { why: '' };
  socket.on('error', (error: NodeJS.ErrnoException) => {
    trouble.why ||= error.code ?? error.message;
  });
  try {
    if (!(await handshake(socket, scene.left()))) return judgeFailure(stream.first, trouble.why || 'it was not finished');
    const secured = `TLS handshake done (${quoted(socket.getProtocol() ?? '')})`;
    if (!steps) return answered(secured);
    const judged = await exchange(overSocket(socket), scene, steps).catch(() => null);
    if (judged) return { ...judged, what: `${judged.what}, over TLS` };
    // With TLS 1.3 a server that wants to know its clients says so after the handshake: RFC 8446, 4.4.2.4.
    if (/ALERT/.test(trouble.why)) return answered(`${secured}, and then it sent the client away: ${quoted(trouble.why)}`);
    return { state: 'other', what: `${secured}, and then nothing was said` };
  } finally {
    socket.destroy();
    stream.destroy();
  }
}

function handshake(socket: TLSSocket, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const end = (done: boolean) => {
      clearTimeout(timer);
      resolve(done);
    };
    socket.once('secureConnect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

function judgeFailure(first: Buffer, why: string): Judged | null {
  if (first.length === 0) return null;
  const isTls = (first[0] === ALERT || first[0] === HANDSHAKE) && first[1] === 3;
  return isTls ? answered(`TLS answered, and the handshake ended early: ${quoted(why)}`) : other(first);
}

/** A stream as a conversation, for exchanges that do not care what lies below. */
function overSocket(socket: TLSSocket): GuestConversation {
  let bytes = Buffer.alloc(0);
  let ended: GuestConversation['ended'] = null;
  let changed: () => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]).subarray(0, 65_536);
    changed();
  });
  const end = (how: 'closed' | 'reset') => () => {
    ended ??= how;
    changed();
  };
  socket.on('end', end('closed'));
  socket.on('close', end('closed'));
  socket.on('error', end('reset'));
  return {
    get ended() {
      return ended;
    },
    write: (text) => new Promise((resolve, reject) => void socket.write(text, (error) => (error ? reject(error) : resolve()))),
    readUntil: (enough, { timeoutMs }) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(bytes), timeoutMs);
        changed = () => {
          if (ended === null && !(bytes.length > 0 && enough(bytes))) return;
          clearTimeout(timer);
          resolve(bytes);
        };
        changed();
      }),
    close: async () => void socket.destroy(),
  };
}
