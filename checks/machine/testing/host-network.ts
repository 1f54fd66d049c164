/** Sockets of this host as if a guest had them: for probes of services against real and scripted servers, without a guest. For tests. */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { LabError } from '../../../src/errors.js';
import type { GuestConversation, GuestNetwork } from '../../../src/labs/lab.js';

/** @param present addresses that a search finds */
export function hostNetwork(present: string[] = ['127.0.0.1']): GuestNetwork {
  return {
    ...{ addresses: present, frames: {}, framesSent: 0, attempts: [] },
    discover: async () => present,
    ping: async () => 1,
    connect: connectTo,
    ask: askAt,
  };
}

async function connectTo(address: string, port: number, { timeoutMs }: { timeoutMs: number }): Promise<GuestConversation> {
  const socket = connect({ host: address, port, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(failure('silent')), timeoutMs);
    socket.once('connect', () => resolve(clearTimeout(timer)));
    socket.once('error', () => {
      clearTimeout(timer);
      reject(failure('refused'));
    });
  });
  return conversationOf(socket);
}

const failure = (how: string) => new LabError({ code: `network.${how}`, message: `it was ${how}` });

function conversationOf(socket: Socket): GuestConversation {
  let bytes = Buffer.alloc(0);
  let ended: GuestConversation['ended'] = null;
  let changed: () => void = () => undefined;
  const end = (how: 'closed' | 'reset') => () => {
    ended ??= how;
    changed();
  };
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    changed();
  });
  socket.on('end', end('closed'));
  socket.on('error', end('reset'));
  return {
    get ended() {
      return ended;
    },
    write: (text) => new Promise((resolve) => void socket.write(text, () => resolve())),
    readUntil: (enough, { timeoutMs }) =>
      new Promise((resolve) => {
        const take = () => {
          clearTimeout(timer);
          changed = () => undefined;
          const taken = bytes;
          bytes = Buffer.alloc(0);
          resolve(taken);
        };
        const timer = setTimeout(take, timeoutMs);
        changed = () => {
          if (ended !== null || (bytes.length > 0 && enough(bytes))) take();
        };
        changed();
      }),
    close: async () => void socket.destroy(),
  };
}

function askAt(address: string, port: number, payload: Buffer, { timeoutMs }: { timeoutMs: number }): Promise<Buffer | null> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  return new Promise<Buffer | null>((resolve, reject) => {
    setTimeout(() => resolve(null), timeoutMs).unref();
    socket.on('message', resolve);
    socket.on('error', () => reject(failure('refused')));
    socket.connect(port, address, () => socket.send(payload));
  }).finally(() => socket.close());
}
