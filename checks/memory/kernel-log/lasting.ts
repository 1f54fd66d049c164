/** Whether a trouble that a kernel had told of lasted when its memory was saved. A slow machine must not read as a dead one. */
import type { KernelLogEvidence, Trouble } from './evidence.js';

/** `lasting`: it did. `over`: it did not, or it is of a kind that says nothing of now. `unclear`: it may have. */
export type TroubleState = 'lasting' | 'over' | 'unclear';

/** The watchdog for hung tasks looks every 120 s and tells again of a task that is still hung. */
const HUNG_TASK_SECONDS = 240;
/** Watchdogs of processors tell again after some 20 s (soft lockup) to 65 s (RCU). */
const LOCKUP_SECONDS = 75;
const REPEATED_WITHIN_SECONDS = 200;
/** Clocks of processors are as of their last tick. */
const TICK_SECONDS = 1;

/** @param group messages of one kind about one thing, oldest first */
export function stateOfTrouble(group: Trouble[], evidence: KernelLogEvidence): TroubleState {
  const last = group.at(-1);
  switch (last?.kind) {
    case 'panic':
      return 'lasting';
    case 'hung-task':
      return hungTask(last, evidence);
    case 'soft-lockup':
    case 'hard-lockup':
    case 'rcu-stall':
      return lockup(group, last, evidence);
    case 'fs-stopped':
      return stoppedFileSystem(last, evidence);
    default:
      return 'over';
  }
}

/** Where tasks can be read, it decides whether the task has run since it was told of. */
function hungTask({ subject, seconds }: Trouble, evidence: KernelLogEvidence): TroubleState {
  const { waiting, nowSeconds } = evidence;
  if (waiting && nowSeconds !== null) {
    const since = nowSeconds - seconds - TICK_SECONDS;
    return waiting.some((task) => String(task.pid) === subject && task.seconds >= since) ? 'lasting' : 'over';
  }
  return recent(seconds, HUNG_TASK_SECONDS, evidence);
}

/** Without the clock of the save, the newest message is the least that it can have been. */
function recent(seconds: number, within: number, { nowSeconds, log }: KernelLogEvidence): TroubleState {
  const age = (nowSeconds ?? log?.lastSeconds ?? seconds) - seconds;
  if (age > within) return 'over';
  return nowSeconds === null ? 'unclear' : 'lasting';
}

/** One report follows every longer pause of a virtual machine; a second one of the same processor does not. */
function lockup(group: Trouble[], last: Trouble, evidence: KernelLogEvidence): TroubleState {
  const state = recent(last.seconds, LOCKUP_SECONDS, evidence);
  const repeated = group.filter(({ seconds }) => last.seconds - seconds <= REPEATED_WITHIN_SECONDS).length > 1;
  return state === 'lasting' && !repeated ? 'unclear' : state;
}

/** Over when it takes writes again, was mounted anew, or is mounted no more. */
function stoppedFileSystem({ subject, seconds }: Trouble, { mounts, troubles }: KernelLogEvidence): TroubleState {
  const mount = mounts?.find(({ device }) => device === subject);
  if (mounts) return mount?.stopped ? 'lasting' : 'over';
  const again = troubles.some((trouble) => trouble.kind === 'fs-remounted' && trouble.subject === subject && trouble.seconds > seconds);
  return again ? 'over' : 'lasting';
}
