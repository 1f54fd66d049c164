/** A machine of QEMU without a disk that runs its firmware for a moment and is saved: real streams in about a second. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QmpClient } from '../../src/labs/machine/qmp.js';

const START_MS = 30_000;
const SAVE_MS = 60_000;

export interface RunningQemu {
  qmp: QmpClient;
  /** Lets the firmware work. */
  runFor(ms: number): Promise<void>;
  /** Stops it and writes the stream into a file. */
  migrate(path: string): Promise<void>;
  monitor(line: string): Promise<string>;
}

/** Ends QEMU and removes its folder whatever `use` does. It is handed a private folder for its files. */
export async function withQemu<T>(args: string[], use: (qemu: RunningQemu, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-qemu-'));
  const socket = join(folder, 'qmp');
  const own = ['-nodefaults', '-no-user-config', '-display', 'none', '-accel', 'tcg', '-S', '-qmp', `unix:${socket},server=on,wait=off`];
  const child = spawn('setpriv', ['--pdeathsig', 'SIGKILL', '--', 'qemu-system-x86_64', ...own, ...args.map((arg) => arg.replaceAll('FOLDER', folder))], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', (data) => (errors += data));
  try {
    const qmp = await QmpClient.connect(socket, { timeoutMs: START_MS }).catch((cause) => Promise.reject(new Error(errors || String(cause), { cause })));
    return await use(controls(qmp), folder).finally(() => qmp.close());
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

function controls(qmp: QmpClient): RunningQemu {
  return {
    qmp,
    runFor: async (ms) => {
      await qmp.execute('cont');
      await sleep(ms);
      await qmp.execute('stop');
    },
    migrate: async (path) => {
      await qmp.execute('migrate', { uri: `exec:cat > ${path}` });
      for (const deadline = Date.now() + SAVE_MS; Date.now() < deadline; await sleep(20)) {
        const { status } = await qmp.execute<{ status?: string }>('query-migrate');
        if (status === 'completed') return;
        if (status === 'failed') throw new Error('the machine could not be saved');
      }
      throw new Error('the machine was not saved in time');
    },
    monitor: (line) => qmp.execute<string>('human-monitor-command', { 'command-line': line }, { timeoutMs: SAVE_MS }),
  };
}
