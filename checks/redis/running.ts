/** Whether the guest was running when it was captured, as its file system tells. */
import type { CheckContext } from '../../src/check.js';

/** Null: nothing tells. */
export function wasRunning(volume: string, context: CheckContext<unknown>): boolean | null {
  const state = context.inspection.volumes.find(({ id }) => id === volume)?.captureState?.state;
  if (state === 'needs-replay' || state === 'frozen') return true;
  return state === 'clean' ? false : null;
}
