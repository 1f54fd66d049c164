/** Ends processes for good: asks first, then kills; and waits until they are gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive, type ProcessIdentity } from './proc.js';

const POLL_MS = 20;

/**
 * SIGTERM, and after `graceMs` SIGKILL, to exactly these processes: a pid that was used again in between is not touched.
 * `find` is asked again each time, so that children born meanwhile are ended too.
 * @returns those that would not end (uninterruptible in the kernel)
 */
export async function endProcesses(find: () => ProcessIdentity[], graceMs = 2_000): Promise<ProcessIdentity[]> {
  await signalUntilGone(find, 'SIGTERM', graceMs);
  return signalUntilGone(find, 'SIGKILL', graceMs);
}

async function signalUntilGone(find: () => ProcessIdentity[], signal: NodeJS.Signals, limitMs: number): Promise<ProcessIdentity[]> {
  const signalled = new Set<string>();
  const deadline = performance.now() + limitMs;
  for (;;) {
    const living = find().filter((identity) => identity.pid !== process.pid && isAlive(identity));
    if (living.length === 0) return [];
    for (const identity of living) {
      const key = `${identity.pid} ${identity.startTicks}`;
      if (!signalled.has(key)) sendSignal(identity.pid, signal);
      signalled.add(key);
    }
    if (performance.now() > deadline) return living;
    await sleep(POLL_MS);
  }
}

/** Signals a whole process group whose leader was started by us; silently nothing when it is gone. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  sendSignal(-leaderPid, signal);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && (error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

/** Identities of pids that live now. */
export function identitiesOf(pids: number[]): ProcessIdentity[] {
  return pids.flatMap((pid) => identityOf(pid) ?? []);
}
