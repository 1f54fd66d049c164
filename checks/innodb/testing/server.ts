/** A real MariaDB server on the host, for tests and campaigns: made, loaded, and captured while it works. No network. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOAD_CALL, SCHEMA } from './load.js';
import { saveMemory } from './process-memory.js';

const SERVER = '/usr/sbin/mariadbd';
const INSTALL = '/usr/bin/mariadb-install-db';
const CLIENT = '/usr/bin/mariadb';
const START_TIMEOUT_MS = 60_000;

/** Empty when the host can run the tests, else the name of what is missing. */
export function missingTools(): string {
  return [SERVER, INSTALL, CLIENT].filter((tool) => !existsSync(tool)).join(', ');
}

export interface ServerOptions {
  /** Further options of the server: `--innodb-page-size=4k`. Also used when the data directory is made. */
  settings?: string[];
  /** Statements that make and fill the tables; default: `SCHEMA`. */
  schema?: string;
  /** Where its folder is made. */
  parent?: string;
  /** Folders beside the data directory, made before the server starts: `log`, `home`. */
  folders?: string[];
}

export class TestServer {
  readonly data: string;
  private process: ChildProcess | null = null;
  private clients: ChildProcess[] = [];

  private constructor(
    readonly folder: string,
    private readonly user: { uid: number; gid: number } | undefined,
    private readonly settings: string[],
  ) {
    this.data = join(folder, 'data');
  }

  /** `settings` may name the server's folder as `FOLDER`. */
  static async create(options: ServerOptions = {}): Promise<TestServer> {
    const server = TestServer.idle(options);
    try {
      await server.make(options.schema ?? SCHEMA);
    } catch (error) {
      await server.destroy();
      throw error;
    }
    return server;
  }

  /** Without data of its own: to be started on a copy. */
  static idle(options: ServerOptions = {}): TestServer {
    const folder = mkdtempSync(join(options.parent ?? tmpdir(), 'snapproof-innodb-'));
    const user = process.getuid?.() === 0 ? ordinaryUser() : undefined;
    if (user) chownSync(folder, user.uid, user.gid);
    const settings = (options.settings ?? []).map((setting) => setting.replaceAll('FOLDER', folder));
    const server = new TestServer(folder, user, settings);
    for (const name of ['data', 'tmp', ...(options.folders ?? [])]) server.makeFolder(name);
    return server;
  }

  private async make(schema: string): Promise<void> {
    const places = [`--datadir=${this.data}`, `--tmpdir=${join(this.folder, 'tmp')}`];
    const args = ['--no-defaults', ...places, '--auth-root-authentication-method=normal', '--skip-test-db', ...this.settings];
    execFileSync(INSTALL, args, { ...this.user, cwd: this.folder, stdio: 'ignore', timeout: START_TIMEOUT_MS });
    await this.start();
    this.sql(schema);
  }

  /** Resolves when it answers. @param data another data directory, such as a copy: the server's own by default. */
  async start(data = this.data, more: string[] = []): Promise<void> {
    this.launch(data, more);
    await this.untilAnswering();
  }

  /** Does not wait for it to answer. */
  launch(data = this.data, more: string[] = []): void {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    const fixed = [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${join(this.folder, 'tmp')}`,
      `--socket=${this.socket}`,
      '--skip-networking',
      '--skip-log-bin',
    ];
    const sizes = [
      '--innodb-log-file-size=8M',
      '--innodb-buffer-pool-size=16M',
      '--key-buffer-size=1M',
      '--aria-pagecache-buffer-size=1M',
      '--performance-schema=OFF',
    ];
    const args = [...fixed, `--pid-file=${join(this.folder, 'pid')}`, ...sizes, ...this.settings, ...more];
    this.process = spawn(SERVER, args, { ...this.user, cwd: this.folder, stdio: ['ignore', log, log] });
    closeSync(log);
  }

  private get socket(): string {
    return join(this.folder, 'socket');
  }

  async untilAnswering(): Promise<void> {
    for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; ) {
      if (this.process?.exitCode !== null) throw new Error(`the server ended: ${this.log().split('\n').slice(-12).join('\n')}`);
      try {
        this.sql('select 1');
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    throw new Error('the server does not answer');
  }

  /** The server's own words. */
  log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  sql(text: string): string {
    const args = ['--no-defaults', `--socket=${this.socket}`, '-u', 'root', '-N', '-B'];
    return execFileSync(CLIENT, args, { input: text, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], timeout: START_TIMEOUT_MS }).trim();
  }

  /** Statements whose end is not waited for here. */
  async later(text: string): Promise<void> {
    const client = spawn(CLIENT, ['--no-defaults', `--socket=${this.socket}`, '-u', 'root', '-e', text], { stdio: 'ignore' });
    await new Promise((resolve) => client.once('exit', resolve));
  }

  /** Clients that insert, update and delete until `stopLoad`. */
  startLoad(clients = 3): void {
    for (let i = 0; i < clients; i++) {
      const child = spawn(CLIENT, ['--no-defaults', `--socket=${this.socket}`, '-u', 'root', 'load_test', '-e', LOAD_CALL], { stdio: 'ignore' });
      this.clients.push(child);
    }
  }

  stopLoad(): void {
    for (const client of this.clients) client.kill('SIGKILL');
    this.clients = [];
  }

  /** A copy of the data directory at one instant: the server is stopped while it is copied. */
  capture(name: string): string {
    return this.frozen(() => this.copy(this.data, name));
  }

  /** The data directory and the memory of the server at one instant. */
  captureWithMemory(name: string): { files: string; memory: string } {
    return this.frozen((pid) => {
      const memory = join(this.folder, `${name}.memory`);
      if (pid === null) throw new Error('the server does not run');
      saveMemory(pid, memory);
      return { files: this.copy(this.data, name), memory };
    });
  }

  /** Several folders at one instant, below one new folder, as if they lay on several disks. */
  captureParts(name: string, parts: string[]): string {
    const target = join(this.folder, name);
    mkdirSync(target);
    return this.frozen(() => {
      for (const part of parts) execFileSync('cp', ['-a', '--reflink=auto', join(this.folder, part), target]);
      return target;
    });
  }

  /** A copy of a folder, of which this object's `destroy` disposes. */
  copy(from: string, name: string): string {
    const target = join(this.folder, name);
    execFileSync('cp', ['-a', '--reflink=auto', from, target]);
    return target;
  }

  private frozen<T>(work: (pid: number | null) => T): T {
    const pid = this.process?.pid;
    if (pid === undefined) return work(null);
    process.kill(pid, 'SIGSTOP');
    try {
      waitUntilStopped(pid);
      return work(pid);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    if (this.user) chownSync(path, this.user.uid, this.user.gid);
    return path;
  }

  /** `fast` is an ordinary shutdown, `kill` leaves everything as it lies there. */
  async stop(mode: 'fast' | 'kill' = 'fast'): Promise<void> {
    this.stopLoad();
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(mode === 'fast' ? 'SIGTERM' : 'SIGKILL');
    await ended;
  }

  async destroy(): Promise<void> {
    await this.stop('kill');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A stopped thread group is in state T only when none of its threads writes any more. */
function waitUntilStopped(pid: number): void {
  for (let tries = 0; tries < 2000; tries++) {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (text.slice(text.lastIndexOf(')') + 2).startsWith('T')) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
  throw new Error(`process ${pid} did not stop`);
}

/** The server refuses to run as root. */
function ordinaryUser(): { uid: number; gid: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = lines.find((text) => text.startsWith('mysql:')) ?? lines.find((text) => text.startsWith('nobody:')) ?? '';
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
