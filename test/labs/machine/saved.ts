/** Saved memories for tests: a guest of one sector runs in a QEMU of the test's own, and is saved as a stream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { QmpClient } from '../../../src/labs/machine/qmp.js';
import type { SnapshotImage } from '../../../src/types.js';
import type { MachineDescription, MemoryFacts, SavedMemory } from '../../../src/ways.js';

export interface Source {
  qmp: QmpClient;
  /** Physical memory. */
  read(address: number, lengthBytes: number): Promise<Buffer>;
  /** Stops the guest and saves it. @returns the path of the stream */
  save(): Promise<string>;
  end(): Promise<void>;
}

/** Runs the hardware of a description, with the disks writable, as a hypervisor would. `more`: further options; `within`: a command that runs QEMU. */
export async function runSource(description: MachineDescription, images: SnapshotImage[], more: string[] = [], within: string[] = []): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-source-'));
  const nodes = images.flatMap(({ name, format, layers: [layer] }) => [
    '-blockdev',
    JSON.stringify({ driver: format, 'node-name': name, file: { driver: 'file', filename: layer?.path } }),
  ]);
  const devices = description.devices.flatMap((device) => ['-device', JSON.stringify(device)]);
  const machine = ['-machine', description.machineType, '-cpu', description.cpuModel, '-smp', String(description.cpus), '-m', String(description.memoryMiB)];
  const args = ['-nodefaults', '-display', 'none', '-accel', 'tcg', ...machine, ...nodes, ...more, ...devices, '-qmp', `unix:${folder}/qmp,server=on,wait=off`];
  const [program = '', ...words] = [...within, 'qemu-system-x86_64', ...args];
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = once(child, 'exit');
  const qmp = await QmpClient.connect(join(folder, 'qmp'), { timeoutMs: 20_000 });
  return {
    qmp,
    async read(address, lengthBytes) {
      await qmp.execute('pmemsave', { val: address, size: lengthBytes, filename: join(folder, 'part') });
      return readFile(join(folder, 'part'));
    },
    async save() {
      const path = join(folder, 'memory');
      await qmp.execute('stop');
      await qmp.execute('migrate', { uri: `exec:cat >${path}` });
      for (let status = ''; status !== 'completed'; await sleep(50)) ({ status = '' } = await qmp.execute<{ status?: string }>('query-migrate'));
      return path;
    },
    async end() {
      await qmp.execute('quit').catch(() => undefined);
      await exit;
      qmp.close();
    },
  };
}

const FACTS: MemoryFacts = {
  ...{ container: 'qemu-stream', compression: 'none', why: '', machineType: null, ramBytes: 0, blocks: [], cpus: [], devices: [] },
  ...{ runState: 'paused', domainXml: null, mappedPages: false, complete: true, findings: [] },
};

/** @param bytes the stream, or the path of it */
export function savedMemory(bytes: Buffer | string | (() => Readable), blocks: MemoryFacts['blocks'] = []): SavedMemory {
  const stream = () => (typeof bytes === 'function' ? bytes() : typeof bytes === 'string' ? createReadStream(bytes) : Readable.from(pieces(bytes)));
  return { facts: { ...FACTS, blocks }, ram: null, stream, close: async () => undefined };
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
