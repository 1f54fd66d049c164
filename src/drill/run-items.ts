/** Goes through the items of a plan, as many at once as the host bears, and says of each what became of it. */
import type { DrillItem, Selection } from '../documents.js';
import { InterruptedError } from '../errors.js';
import { availableMiB, defaultSlots, MemoryBudget, needMiB } from './budget.js';
import { ItemRun, type ItemsRequest, pastOf, type Result, ruleOf } from './item-run.js';
import { objectivesOf } from './objectives.js';
import type { PlanItem } from './plan.js';
import type { MachineRule } from './policy/types.js';

/** @throws InterruptedError when the user ends it, LedgerError when nothing can be stored any more: the plan is kept for the next run. */
export async function runItems(request: ItemsRequest): Promise<DrillItem[]> {
  const { plan, policy } = request;
  const results: (DrillItem | null)[] = plan.items.map(() => null);
  const stop = new AbortController();
  const deadline = new DeadlineSignal(plan.deadlineAt, request.now);
  const signal = AbortSignal.any([request.signal, stop.signal, deadline.signal]);
  const totalMiB = policy.memoryMiB ?? availableMiB();
  const budget = new MemoryBudget(totalMiB);
  const slots = policy.parallel ?? defaultSlots(totalMiB, Math.min(...policy.machines.map((rule) => needMiB(rule.policy, null))));
  let [next, done] = [0, 0];
  const past = pastOf(request);
  const worker = async (): Promise<void> => {
    for (let index = next++; index < plan.items.length; index = next++) {
      const item = plan.items[index] as PlanItem;
      const result = await new ItemRun(request, item, signal, budget, past).result();
      if (request.signal.aborted || stop.signal.aborted) return;
      results[index] = toDrillItem(item, ruleOf(policy, item), result);
      request.say(progressLine(item, result, ++done, plan.items.length));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(slots, plan.items.length) }, () => worker().catch((error) => endAll(stop, error))));
  } finally {
    deadline.clear();
  }
  if (request.signal.aborted) throw request.signal.reason;
  if (stop.signal.aborted) throw stop.signal.reason;
  return results.filter((item) => item !== null);
}

function endAll(stop: AbortController, error: unknown): void {
  stop.abort(error);
}

class DeadlineSignal {
  readonly signal: AbortSignal;
  private timer: NodeJS.Timeout | undefined;

  constructor(deadlineAt: string | null, now: () => Date) {
    const controller = new AbortController();
    this.signal = controller.signal;
    if (deadlineAt === null) return;
    const check = (): void => {
      const leftMs = Date.parse(deadlineAt) - now().getTime();
      if (leftMs <= 0) controller.abort(new InterruptedError({ code: 'drill.deadline', message: 'The deadline of the drill came.' }));
      // A timer knows 24 days at most, and a host may sleep: the clock is looked at again.
      else this.timer = setTimeout(check, Math.min(leftMs, 10_000));
    };
    check();
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}

const MAX_REASONS = 5;

function toDrillItem(item: PlanItem, rule: MachineRule, { state, record, restorePoint, why }: Result): DrillItem {
  const objectives = objectivesOf(rule, record, item.newestAgeSeconds);
  const reasons = record && record.verdict !== 'passed' ? record.reasons.slice(0, MAX_REASONS) : [];
  return {
    machine: item.machine,
    restorePoint,
    path: item.path,
    takenAt: item.takenAt ?? record?.restorePoint.takenAt ?? null,
    depth: rule.policy.depth,
    state,
    recordId: record?.id ?? null,
    verdict: record?.verdict ?? null,
    why: [...reasons, ...why, ...objectives.why],
    selection: item.selection as Selection,
    rto: objectives.rto,
    rpo: objectives.rpo,
  };
}

function progressLine({ machine }: PlanItem, { state, record, why }: Result, done: number, total: number): string {
  const outcome = state === 'verified' ? `${record?.verdict} after ${Math.round((record?.durationMs ?? 0) / 1000)} s` : state;
  const reason = record && record.verdict !== 'passed' ? record.reasons[0] : why[0];
  return `${machine}: ${outcome} (${done} of ${total}).${reason ? ` ${reason}` : ''}`;
}
