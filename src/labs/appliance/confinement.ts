/**
 * Confines guestfish and the appliance's qemu, which reads what a hostile guest wrote: no network, the host's files read-only, and a
 * process namespace of its own. When this program dies, by whatever signal, everything in it dies too; libguestfs's sockets, which
 * it keeps in /tmp for root whatever TMPDIR says, lie on a /tmp of their own that vanishes with it.
 */
import { probeConfinement } from '../sandbox/probe.js';

export interface ApplianceFolders {
  /** Writable: the run's folder, the appliance's cache. They exist. */
  writable: string[];
}

/** To read what others own. */
const CAPABILITIES = ['CAP_DAC_OVERRIDE'];

const ANY_SIZE = Number.MAX_SAFE_INTEGER;

/** The command that runs guestfish confined. @throws MissingToolError, LabError where bubblewrap cannot start. */
export async function confinedGuestfish(args: string[], folders: ApplianceFolders): Promise<[string, ...string[]]> {
  const { mode, bwrap } = await probeConfinement(ANY_SIZE);
  const namespaces =
    mode === 'root'
      ? [
          '--unshare-ipc',
          '--unshare-pid',
          '--unshare-net',
          '--unshare-uts',
          '--unshare-cgroup-try',
          '--cap-drop',
          'ALL',
          ...CAPABILITIES.flatMap((name) => ['--cap-add', name]),
        ]
      : ['--unshare-all'];
  // qemu keeps its own temporary files in /var/tmp where TMPDIR is /tmp, as for a trial start.
  const empty = ['/tmp', '/var/tmp', '/run'].flatMap((path) => ['--tmpfs', path]);
  const visible = ['--ro-bind', '/', '/', '--dev', '/dev', '--dev-bind-try', '/dev/kvm', '/dev/kvm', '--proc', '/proc', ...empty];
  const writable = folders.writable.flatMap((path) => ['--bind', path, path]);
  // For an ordinary user libguestfs puts its sockets there.
  const sockets = ['--setenv', 'XDG_RUNTIME_DIR', '/tmp'];
  return [bwrap, ...namespaces, '--die-with-parent', '--new-session', ...visible, ...writable, ...sockets, '--', 'guestfish', ...args];
}
