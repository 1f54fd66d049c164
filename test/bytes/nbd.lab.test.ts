/** The NBD client against a real qemu-nbd. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NbdSource } from '../../src/bytes/nbd.js';
import { isListening } from '../../src/process/unix-socket.js';

const missing = spawnSync('qemu-nbd', ['--version']).error ? 'qemu-nbd is missing: apt-get install qemu-utils' : '';
const SIZE = 40 * 1024 * 1024;
const REQUEST = 16 * 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-nbd-'));
const content = Buffer.alloc(SIZE);
for (let i = 0; i < SIZE; i += 4) content.writeUInt32LE(i, i);
let servers = 0;

beforeAll(() => writeFileSync(join(folder, 'raw'), content));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function serve(): Promise<{ socketPath: string; server: ChildProcess }> {
  const socketPath = join(folder, `s${servers++}`);
  const args = ['--read-only', '--format=raw', '--export-name=disk0', '--persistent', '--shared=4', `--socket=${socketPath}`, join(folder, 'raw')];
  const server = spawn('qemu-nbd', args, { stdio: 'ignore' });
  onTestFinished(() => void server.kill('SIGKILL'));
  for (let tries = 0; !(await isListening(socketPath)) && tries < 200; tries++) await sleep(25);
  return { socketPath, server };
}

describe.skipIf(missing !== '')(`the NBD client${missing && ` (${missing})`}`, () => {
  it('reads across the size of one request, many at once, and to the last byte', async () => {
    const source = await NbdSource.open((await serve()).socketPath, 'disk0');
    expect(source.sizeBytes).toBe(SIZE);
    const ranges = [
      [REQUEST - 5, 10],
      [3, 2 * REQUEST + 7],
      [SIZE - 1, 1],
      [0, SIZE],
      [SIZE, 0],
    ] as const;
    const read = await Promise.all(ranges.map(([offset, length]) => source.read(offset, length)));
    for (const [i, [offset, length]] of ranges.entries()) expect(read[i]?.equals(content.subarray(offset, offset + length))).toBe(true);
    await expect(source.read(SIZE, 1)).rejects.toThrow(RangeError);
    await source.close();
    await expect(source.read(0, 1)).rejects.toThrow(/closed/);
  });

  it('names an export that is not there', async () => {
    await expect(NbdSource.open((await serve()).socketPath, 'disk7')).rejects.toThrow(/no export "disk7"/);
  });

  it('rejects every read, open and later, when the server is killed', async () => {
    const { socketPath, server } = await serve();
    const source = await NbdSource.open(socketPath, 'disk0');
    server.kill('SIGSTOP');
    const reads = [source.read(0, SIZE), source.read(0, 1)].map((read) => expect(read).rejects.toThrow(/ended the connection/));
    server.kill('SIGKILL');
    await Promise.all(reads);
    await expect(source.read(0, 1)).rejects.toThrow(/ended the connection/);
    await source.close();
  });
});

describe('the NBD client', () => {
  it('refuses what is no NBD server, and names a socket that is not there', async () => {
    const socketPath = join(folder, 'liar');
    const liar = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')).listen(socketPath);
    onTestFinished(() => void liar.close());
    await expect(NbdSource.open(socketPath, 'x')).rejects.toThrow(/no NBD server/);
    await expect(NbdSource.open(join(folder, 'nowhere'), 'x')).rejects.toThrow(/cannot reach/);
  });
});
