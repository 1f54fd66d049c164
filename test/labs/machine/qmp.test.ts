import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LabError } from '../../../src/errors.js';
import { QmpClient } from '../../../src/labs/machine/qmp.js';

let folder: string;
let server: Server;
let answer: (command: { execute: string; id: number }, socket: Socket) => void;
const path = (): string => join(folder, 'qmp');
const reply = (socket: Socket, message: unknown): void => void socket.write(`${JSON.stringify(message)}\n`);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapproof-qmp-test-'));
  answer = ({ id }, socket) => reply(socket, { return: {}, id });
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    reply(socket, { QMP: { version: {}, capabilities: [] } });
    socket.on('data', (data) => {
      for (const line of data.toString().trim().split('\n')) answer(JSON.parse(line), socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(path(), resolve));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('QmpClient', () => {
  it('gives the answer that belongs to each command, whatever their order', async () => {
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    const waiting: number[] = [];
    answer = ({ id }, socket) => {
      waiting.push(id);
      if (waiting.length === 2) for (const each of waiting.reverse()) reply(socket, { return: `answer ${each}`, id: each });
    };
    const [first, second] = await Promise.all([client.execute('a'), client.execute('b')]);
    expect([first, second]).toEqual(['answer 2', 'answer 3']);
    client.close();
  });

  it('rejects with the text of QEMU', async () => {
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    answer = ({ id }, socket) => reply(socket, { error: { class: 'GenericError', desc: 'no such node' }, id });
    await expect(client.execute('blockdev-del')).rejects.toThrow(/no such node/);
    client.close();
  });

  it('passes events on, between answers and split anywhere', async () => {
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    answer = ({ id }, socket) => {
      socket.write('{"event":"ST');
      setTimeout(() => socket.write(`OP","data":{"x":1}}\nnot json\n{"return":{},"id":${id}}\n`), 20);
    };
    const event = client.nextEvent('STOP', { timeoutMs: 2_000 });
    await client.execute('stop');
    expect(await event).toEqual({ event: 'STOP', data: { x: 1 } });
    expect(client.events).toHaveLength(1);
    client.close();
  });

  it('does not wait for ever', async () => {
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    answer = () => undefined;
    await expect(client.execute('stop', {}, { timeoutMs: 50 })).rejects.toThrow(LabError);
    await expect(client.nextEvent('STOP', { timeoutMs: 50 })).rejects.toThrow(/STOP/);
    client.close();
  });

  it('fails what is in flight, and what comes later, when QEMU goes away', async () => {
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    answer = (_command, socket) => socket.destroy();
    await expect(client.execute('stop')).rejects.toThrow(LabError);
    await expect(client.execute('cont')).rejects.toThrow(LabError);
  });

  it('survives a reset: QEMU ends with a command unread', async () => {
    answer = ({ id }, socket) => {
      socket.pause();
      reply(socket, { return: {}, id });
      setTimeout(() => socket.destroy(), 100);
    };
    const client = await QmpClient.connect(path(), { timeoutMs: 2_000 });
    await expect(client.execute('quit')).rejects.toThrow(LabError);
  });

  it('says so when no socket appears', async () => {
    await expect(QmpClient.connect(join(folder, 'none'), { timeoutMs: 100 })).rejects.toThrow(/none/);
  });
});
