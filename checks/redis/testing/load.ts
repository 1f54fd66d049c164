/** A real redis-server under load, for tests: every type of value, transactions, expiry, streams with groups. */
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

/** A command in the wire protocol. */
export function resp(...words: (string | number | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(String(word));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

export function serverArguments(folder: string, settings: string[]): string[] {
  return ['--dir', folder, '--port', '0', '--unixsocket', `${folder}.sock`, '--save', '', '--loglevel', 'notice', ...settings];
}

/** One step of the load: some twenty commands. */
export function commandsOf(step: number): Buffer {
  const k = step % 500;
  const text = `value ${step} `.repeat(1 + (step % 40));
  const list = [
    resp('SELECT', step % 3),
    resp('SET', `s:${k}`, text),
    resp('SET', `n:${k}`, step * 7919),
    resp('SET', `raw:${k}`, Buffer.from(Array.from({ length: 200 }, (_, i) => (Math.imul(step + i, 2654435761) >>> 13) & 255))),
    resp('SET', `e:${k}`, 'x', 'PX', 100_000 + step),
    resp('RPUSH', `l:${k % 20}`, text, step, 'a'.repeat(step % 9000)),
    resp('SADD', `si:${k % 30}`, step % 1000, step % 77),
    resp('SADD', `st:${k % 30}`, `m${step}`, 'b'.repeat(step % 100)),
    resp('ZADD', `z:${k % 30}`, step / 3, `m${step % 400}`),
    resp('ZADD', 'z:small', 'inf', `m${step % 5}`),
    resp('HSET', `h:${k % 30}`, `f${step % 300}`, text),
    resp('HSET', 'h:small', `f${step % 5}`, step),
    resp('XADD', `x:${k % 5}`, '*', 'field', text, 'n', step),
    resp('XGROUP', 'CREATE', `x:${k % 5}`, `g${k % 3}`, '0'),
    resp('XREADGROUP', 'GROUP', `g${k % 3}`, `c${k % 2}`, 'COUNT', 2, 'STREAMS', `x:${k % 5}`, '>'),
    resp('MULTI'),
    resp('INCR', 'total'),
    resp('APPEND', `s:${k}`, '!'),
    resp('EXEC'),
    resp('DEL', `s:${(k * 31) % 500}`),
  ];
  if (step % 97 === 0) list.push(resp('LTRIM', `l:${k % 20}`, -50, -1), resp('XTRIM', `x:${k % 5}`, 'MAXLEN', 200));
  return Buffer.concat(list);
}

/** Keeps a server busy until it is stopped. */
export class Load {
  private step = 0;
  private stopped = false;
  private readonly socket: Socket;

  constructor(socketPath: string) {
    this.socket = connect(socketPath);
    this.socket.on('error', () => undefined);
    this.socket.on('data', () => undefined);
    this.socket.write(resp('FUNCTION', 'LOAD', 'REPLACE', "#!lua name=mylib\nredis.register_function('f', function() return 1 end)"));
    this.pump();
  }

  send(...words: string[]): void {
    this.socket.write(resp(...words));
  }

  stop(): void {
    this.stopped = true;
    this.socket.destroy();
  }

  private pump(): void {
    if (this.stopped) return;
    for (let i = 0; i < 20; i++) if (!this.socket.write(commandsOf(this.step++))) break;
    if (this.socket.writableNeedDrain) this.socket.once('drain', () => setImmediate(() => this.pump()));
    else setImmediate(() => this.pump());
  }
}

export function newFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
