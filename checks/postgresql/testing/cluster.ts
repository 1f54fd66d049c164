/** A real PostgreSQL 15 cluster on the host, for tests: made, loaded by pgbench, and captured while it works. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const BIN = '/usr/lib/postgresql/15/bin';
const START_TIMEOUT_MS = 60_000;

/** Empty when the host can run the tests, else the name of what is missing. */
export function missingTools(): string {
  return ['initdb', 'postgres', 'pg_ctl', 'pgbench', 'pg_checksums', 'psql']
    .filter((tool) => !existsSync(join(BIN, tool)) && !existsSync(`/usr/bin/${tool}`))
    .join(', ');
}

export interface ClusterOptions {
  checksums?: boolean;
  scale?: number;
  /** Lines of postgresql.conf. */
  settings?: string[];
  /** The log lies in a folder of its own, `wal`, reached by a link. */
  separateLog?: boolean;
  /** Where its folder is made. */
  parent?: string;
}

export class TestCluster {
  readonly data: string;
  private load: ChildProcess | null = null;

  private constructor(
    readonly folder: string,
    private readonly user: { uid: number; gid: number } | undefined,
  ) {
    this.data = join(folder, 'data');
  }

  static create(options: ClusterOptions = {}): TestCluster {
    const cluster = TestCluster.empty(options.parent ?? tmpdir());
    const separate = options.separateLog ? ['-X', cluster.makeFolder('wal')] : [];
    const checksums = options.checksums === false ? [] : ['-k'];
    cluster.run('initdb', ['-D', cluster.data, '-A', 'trust', '-U', 'tester', '-N', ...checksums, ...separate]);
    const settings = ['fsync=on', 'max_wal_size=128MB', 'checkpoint_timeout=30s', 'shared_buffers=32MB', 'autovacuum_naptime=2s', ...(options.settings ?? [])];
    cluster.start(settings);
    cluster.run('pgbench', [...cluster.address, '-i', '-s', String(options.scale ?? 2), '-q', 'postgres']);
    return cluster;
  }

  /** The server of a data directory that exists; it is moved into the server's own folder, and gone after `destroy`. */
  static over(data: string): TestCluster {
    const cluster = TestCluster.empty(dirname(data));
    renameSync(data, cluster.data);
    rmSync(join(cluster.data, 'postmaster.pid'), { force: true });
    return cluster;
  }

  private static empty(parent: string): TestCluster {
    const folder = mkdtempSync(join(parent, 'snapproof-pg-'));
    const user = process.getuid?.() === 0 ? ordinaryUser() : undefined;
    if (user) chownSync(folder, user.uid, user.gid);
    return new TestCluster(folder, user);
  }

  private get address(): string[] {
    return ['-h', this.folder, '-U', 'tester'];
  }

  start(settings: string[] = []): void {
    const flags = ["listen_addresses=''", `unix_socket_directories='${this.folder}'`, ...settings].map((setting) => `-c ${setting}`).join(' ');
    this.run('pg_ctl', ['-D', this.data, '-w', '-s', '-t', '60', '-l', join(this.folder, 'log'), '-o', flags, 'start']);
  }

  sql(text: string): string {
    return this.run('psql', [...this.address, '-Atqc', text, 'postgres']).trim();
  }

  /** @throws Error with what it found */
  amcheck(): void {
    this.run('pg_amcheck', [...this.address, '--install-missing', '--heapallindexed', '--parent-check', 'postgres']);
  }

  /** A client that works through `text` statement by statement, also after errors, until it is killed. */
  session(text: string, database = 'postgres'): ChildProcess {
    const args = [...this.address, '-X', '-q', '-d', database];
    const child = spawn(join(BIN, 'psql'), args, { ...this.user, stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin?.on('error', () => {}); // it was killed before it had read all
    child.stdin?.end(text);
    return child;
  }

  startLoad(clients = 4): void {
    const args = [...this.address, '-n', '-c', String(clients), '-T', '600', 'postgres'];
    this.load = spawn(join(BIN, 'pgbench'), args, { ...this.user, stdio: 'ignore' });
  }

  stopLoad(): void {
    this.load?.kill('SIGKILL');
    this.load = null;
  }

  /** A copy of the data directory at one instant: every process of the cluster is stopped while it is copied. */
  capture(name: string): string {
    return this.copyFrozen(['data'], join(this.folder, name));
  }

  /** Several folders of the cluster at one instant, as they lie on several disks. */
  captureParts(name: string, parts: string[]): string {
    const target = join(this.folder, name);
    mkdirSync(target);
    return this.copyFrozen(parts, target);
  }

  private copyFrozen(parts: string[], target: string): string {
    const processes = this.freeze();
    try {
      for (const part of parts) execFileSync('cp', ['-a', '--reflink=auto', join(this.folder, part), target]);
    } finally {
      for (const pid of processes) signal(pid, 'SIGCONT');
    }
    return target;
  }

  /** A folder of the cluster's own user, for tablespaces. */
  makeFolder(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path);
    if (this.user) chownSync(path, this.user.uid, this.user.gid);
    return path;
  }

  stop(mode: 'fast' | 'immediate' = 'fast'): void {
    if (existsSync(join(this.data, 'postmaster.pid'))) this.run('pg_ctl', ['-D', this.data, '-w', '-s', '-m', mode, 'stop']);
  }

  destroy(): void {
    this.stopLoad();
    this.stop('immediate');
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(tool: string, args: string[]): string {
    return execFileSync(join(BIN, tool), args, {
      ...this.user,
      encoding: 'utf8',
      cwd: this.folder,
      timeout: START_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** The postmaster first, so that it starts nobody meanwhile; then its children, until no new one appears. */
  private freeze(): number[] {
    const postmaster = Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const stopped = [postmaster];
    signal(postmaster, 'SIGSTOP');
    // Until it stands still it may fork a worker that no list of its children shows yet.
    waitUntilStopped(postmaster);
    for (let fresh = childrenOf(postmaster); fresh.length > 0; fresh = childrenOf(postmaster).filter((pid) => !stopped.includes(pid))) {
      for (const pid of fresh) signal(pid, 'SIGSTOP');
      stopped.push(...fresh);
    }
    for (const pid of stopped) waitUntilStopped(pid);
    return stopped;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended meanwhile
  }
}

/** A signal is delivered when a system call lets it: only state T (or no process) means that nothing is written any more. */
function waitUntilStopped(pid: number): void {
  for (let tries = 0; tries < 2000; tries++) {
    const state = stateOf(pid);
    if (state === null || state.state === 'T' || state.state === 'Z') return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
  throw new Error(`process ${pid} did not stop`);
}

function stateOf(pid: number): { state: string; parent: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: state ?? '', parent: Number(parent) };
  } catch {
    return null;
  }
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => stateOf(pid)?.parent === parent);
}

/** The server refuses to run as root. */
function ordinaryUser(): { uid: number; gid: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = lines.find((text) => text.startsWith('postgres:')) ?? lines.find((text) => text.startsWith('nobody:')) ?? '';
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
