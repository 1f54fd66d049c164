/** The command line that confines one tool: prlimit around bubblewrap around the tool. Pure, so that every flag is tested. */
import type { SandboxRequest } from '../lab.js';

/**
 * `user-namespace`: what any user has. `root`: for root without a user namespace, because inside one root may not read a
 * backup that belongs to another user (mode 0600 of libvirt-qemu). It keeps one capability, to override file owners;
 * CAP_DAC_READ_SEARCH would be too much: with it, open_by_handle_at reaches files that are not visible.
 */
export type ConfinementMode = 'user-namespace' | 'root';

export interface Confinement {
  mode: ConfinementMode;
  bwrap: string;
  prlimit: string;
  /** Folders of the host's system that exist and are needed to run its programs. */
  systemFolders: { path: string; link: string | null }[];
  /** Largest file the tool may write. */
  fileBytes: number;
}

/** A request without a time limit, for servers that run until they are killed, with what only those need. */
export interface ServerRequest extends Omit<SandboxRequest, 'timeoutMs'> {
  /**
   * Private memory that it may write, instead of a limit on its address space: for a program that maps much which it shares
   * or never touches.
   */
  dataBytes?: number;
  /** Largest file it may write; default: the session's. */
  fileBytes?: number;
  /** What the tool needs to prepare its own namespaces, and must drop before it goes on; default: none. */
  capabilities?: string[];
  /** Every byte of its standard error as it comes, beside what is kept of it. */
  onStderr?: (chunk: Buffer) => void;
}

const DEFAULT_MEMORY_BYTES = 2 * 2 ** 30;

/** Program and arguments that run `tool` (absolute path) confined. */
export function confinedCommand(confinement: Confinement, request: ServerRequest, tool: string): [string, ...string[]] {
  return [
    confinement.prlimit,
    memoryLimit(request),
    '--core=0',
    `--fsize=${request.fileBytes ?? confinement.fileBytes}`,
    '--',
    confinement.bwrap,
    ...namespaces(confinement.mode, request),
    ...visible(confinement, request),
    '--',
    tool,
    ...request.args,
  ];
}

function memoryLimit({ dataBytes, memoryBytes = DEFAULT_MEMORY_BYTES }: ServerRequest): string {
  return dataBytes === undefined ? `--as=${memoryBytes}` : `--data=${dataBytes}`;
}

/** Another user id exists only inside a user namespace. */
function namespaces(mode: ConfinementMode, { uid, capabilities = [] }: ServerRequest): string[] {
  const own =
    mode === 'root' && uid === undefined
      ? ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL', '--cap-add', 'CAP_DAC_OVERRIDE']
      : ['--unshare-all', '--cap-drop', 'ALL'];
  // bubblewrap gives a user its own number back in a second user namespace, in which a capability is none over the network of the first.
  const inner = capabilities.length > 0 && mode === 'user-namespace' ? 0 : uid;
  const identity = inner === undefined ? [] : ['--unshare-user', '--uid', String(inner), '--gid', String(inner)];
  const granted = capabilities.flatMap((name) => ['--cap-add', name]);
  return [...own, ...identity, ...granted, '--hostname', 'sandbox', '--die-with-parent', '--new-session', '--clearenv'];
}

/** /proc is remounted read-only: as root without a user namespace, /proc/sys would otherwise be the host's and writable. */
function visible(confinement: Confinement, request: ServerRequest): string[] {
  const system = confinement.systemFolders.flatMap(({ path, link }) => (link === null ? ['--ro-bind', path, path] : ['--symlink', link, path]));
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/tmp', ...request.env };
  return [
    ...system,
    ...['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...(request.devices ?? []).flatMap((path) => ['--dev-bind', path, path]),
    ...(request.readable ?? []).flatMap((path) => ['--ro-bind', path, path]),
    ...(request.writable ?? []).flatMap((path) => ['--bind', path, path]),
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', request.cwd ?? '/'],
  ];
}
