/** A real Linux kernel as the guest: Debian's, with a busybox that lies in its first file system, and with cards on sockets of ours. For tests. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const BUSYBOX = '/bin/busybox';
/** In the order in which they need each other. */
const MODULES = [
  ...['drivers/virtio/virtio_ring', 'drivers/virtio/virtio', 'drivers/virtio/virtio_pci_legacy_dev', 'drivers/virtio/virtio_pci_modern_dev'],
  ...['drivers/virtio/virtio_pci', 'net/core/failover', 'drivers/net/net_failover', 'drivers/net/virtio_net'],
  ...['net/llc/llc', 'net/802/stp', 'net/802/garp', 'net/802/mrp', 'net/8021q/8021q'],
];

export interface GuestChoices {
  /** Shell script, run as the first process once cards are there (`eth0`, `eth1`, down). The guest ends with it. */
  script: string;
  /** Host programs that the guest has too, with their libraries, under the same names. */
  programs?: string[];
  /** Further files by absolute path. */
  files?: Record<string, string>;
  cards?: number;
}

export interface KernelGuest {
  /** One per card. */
  sockets: Socket[];
  console(): string;
  /** @throws when it is not there in time, with what was. */
  waitFor(text: string | RegExp, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** The package that is missing for it here, or null. */
export function lackOfGuestKernel(): string | null {
  if (!kernelVersion()) return 'linux-image-cloud-amd64';
  const programs = { [BUSYBOX]: 'busybox-static', '/usr/bin/redis-server': 'redis-server', '/usr/bin/qemu-system-x86_64': 'qemu-system-x86' };
  return Object.entries(programs).find(([path]) => !existsSync(path))?.[1] ?? null;
}

export async function startGuest(choices: GuestChoices): Promise<KernelGuest> {
  const folder = mkdtempSync(join(tmpdir(), 'sp-kernel-'));
  const initrd = buildInitrd(folder, choices);
  const cards = await Promise.all(Array.from({ length: choices.cards ?? 1 }, (_, index) => listen(join(folder, `card${index}`))));
  const qemu = spawn('qemu-system-x86_64', qemuArguments(initrd, cards), { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString('latin1')).slice(-256 * 1024);
  };
  qemu.stdout.on('data', keep);
  qemu.stderr.on('data', keep);
  const close = () => end(qemu, folder);
  try {
    const sockets = await Promise.all(cards.map(({ accepted }) => within(accepted, 20_000, () => `QEMU did not connect its card:\n${text}`)));
    return { sockets, console: () => text, waitFor: (wanted, timeoutMs = 120_000) => waitFor(wanted, timeoutMs, () => text, qemu), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function kernelVersion(): string | null {
  const kernels = existsSync('/boot') ? readdirSync('/boot').flatMap((name) => /^vmlinuz-(.*-cloud-amd64)$/.exec(name)?.[1] ?? []) : [];
  return kernels.sort().at(-1) ?? null;
}

function buildInitrd(folder: string, { script, programs = [], files = {} }: GuestChoices): string {
  const root = join(folder, 'root');
  for (const name of ['bin', 'sbin', 'proc', 'sys', 'dev', 'tmp', 'etc', 'modules', 'var/run']) mkdirSync(join(root, name), { recursive: true });
  const kernel = `/lib/modules/${kernelVersion()}/kernel`;
  for (const module of MODULES) copyFileSync(`${kernel}/${module}.ko`, join(root, 'modules', `${basename(module)}.ko`));
  for (const path of [BUSYBOX, ...programs].flatMap((program) => [program, ...librariesOf(program)])) put(root, path, path);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), 0o755);
  }
  writeFileSync(join(root, 'init'), initScript(script), { mode: 0o755 });
  const archive = execFileSync('sh', ['-c', `cd "$1" && find . | ${BUSYBOX} cpio -o -H newc 2>/dev/null | gzip -1`, 'sh', root], { maxBuffer: 2 ** 28 });
  const initrd = join(folder, 'initrd');
  writeFileSync(initrd, archive);
  return initrd;
}

function put(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  if (!existsSync(join(root, to))) copyFileSync(from, join(root, to));
}

/** None of a program that needs none, to which ldd(1) says no. */
function librariesOf(program: string): string[] {
  const lines = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.split('\n');
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

function initScript(script: string): string {
  const load = MODULES.map((module) => `insmod /modules/${basename(module)}.ko`).join('\n');
  return `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts; mount -t devpts pts /dev/pts
${load}
ip link set lo up
sysctl -q -w kernel.printk="1 1 1 1"
${script}
echo THE SCRIPT IS OVER
poweroff -f
`;
}

/** On a busy host an emulated timer is late, and a kernel that checks it gives up: `no_timer_check`. */
function qemuArguments(initrd: string, cards: { path: string }[]): string[] {
  const network = cards.flatMap(({ path }, index) => [
    ...['-netdev', `stream,id=n${index},server=off,addr.type=unix,addr.path=${path}`],
    ...['-device', `virtio-net-pci,netdev=n${index},mac=52:54:00:00:00:1${index}`],
  ]);
  const machine = ['-nodefaults', '-no-user-config', '-accel', 'tcg', '-machine', 'q35', '-cpu', 'max', '-m', '256', '-display', 'none', '-no-reboot'];
  const boot = [
    '-kernel',
    `/boot/vmlinuz-${kernelVersion()}`,
    '-initrd',
    initrd,
    '-append',
    'console=ttyS0 quiet no_timer_check tsc=unstable panic=-1 mitigations=off',
  ];
  return [...machine, '-serial', 'stdio', ...boot, ...network];
}

async function listen(path: string): Promise<{ path: string; accepted: Promise<Socket> }> {
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection').then(([socket]) => {
    server.close();
    return socket as Socket;
  });
  return { path, accepted };
}

async function within<T>(work: Promise<T>, timeoutMs: number, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function waitFor(wanted: string | RegExp, timeoutMs: number, text: () => string, qemu: ChildProcess): Promise<void> {
  const end = Date.now() + timeoutMs;
  const there = () => (typeof wanted === 'string' ? text().includes(wanted) : wanted.test(text()));
  while (!there()) {
    if (Date.now() > end || qemu.exitCode !== null) throw new Error(`the guest did not say ${wanted}:\n${text().slice(-4000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function end(qemu: ChildProcess, folder: string): Promise<void> {
  if (qemu.exitCode === null && qemu.signalCode === null) {
    const ended = once(qemu, 'exit');
    qemu.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
