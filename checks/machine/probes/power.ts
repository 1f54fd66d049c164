/** Presses the power button and waits for an orderly shutdown: the strongest proof of life there is, and what the disks are verified after. */
import type { ProbeResult } from '../evidence.js';
import type { Watch } from '../watch/watch.js';
import { stimulate } from './keys.js';

/** Looks cost the guest time, and that it is off is heard at once. */
const FIRST_LOOK_MS = 1_000;
const PAUSE_MS = 2_000;

/**
 * @param limitMs of time that the guest really had
 * @param hopeless whether waiting so long is in vain
 */
export async function probePower(watch: Watch, limitMs: number, hopeless: () => boolean): Promise<ProbeResult> {
  const { machine } = watch;
  const result = await stimulate(
    watch,
    'power',
    'orderly',
    'the power button was pressed',
    async () => {
      await machine.pressPower();
      await machine.wait(FIRST_LOOK_MS, watch.signal);
    },
    () => isOff(watch) || isSuspended(watch),
    { limitMs, pauseMs: PAUSE_MS, hopeless },
  );
  if (isSuspended(watch)) return { ...result, proves: 'user-space', what: 'the power button was pressed: it went to sleep' };
  return result.answered ? { ...result, what: 'the power button was pressed: it shut down and switched itself off' } : result;
}

/** By the guest's own word to the power management, not by a crash. */
export function isOff({ machine }: Watch): boolean {
  return machine.events.some(({ event, data }) => event === 'SHUTDOWN' && data.guest === true && data.reason === 'guest-shutdown');
}

export function isSuspended({ machine }: Watch): boolean {
  return machine.events.some(({ event }) => event === 'SUSPEND' || event === 'SUSPEND_DISK');
}
