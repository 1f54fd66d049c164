/** What a run would do and why, without doing any of it. */
import { digestOf } from '../ledger/index.js';
import { count } from '../words.js';
import { lastProven, overdueMachines, recordsOf } from './history.js';
import { makePlan, type PlanRequest } from './make-plan.js';
import type { Plan, PlanItem } from './plan.js';
import { durationWords } from './policy/duration.js';
import type { MachineRule } from './policy/types.js';
import { DrillStore, drillFolder } from './state/store.js';

export interface Preview {
  schema: 'snapproof.drill-preview/v1';
  /** An interrupted drill that would go on first. */
  resumes: string | null;
  plan: Plan;
  /** All of it in sentences. */
  lines: string[];
}

export async function preview(request: PlanRequest & { stateFolder: string }): Promise<Preview> {
  const { policy, stateFolder } = request;
  const plan = await makePlan(request);
  const resumes = new DrillStore(drillFolder(stateFolder, policy.name, policy.path)).plan()?.id ?? null;
  const lines = [
    `${policy.name}: would verify ${count(plan.items.length, 'restore point')} of ${count(plan.machines.length, 'machine')}${plan.deadlineAt ? `, until ${plan.deadlineAt}` : ''}.`,
    ...(resumes === null ? [] : [`Drill ${resumes} was interrupted and would go on, if it still can.`]),
    ...plan.items.map((item, index) => `${index + 1}. ${itemWords(item, policy.machines[item.rule] as MachineRule, request)}`),
    ...(policy.controls ? ['Known-bad controls would be made and have to be rejected.'] : []),
    ...overdueWords(plan, request),
    ...plan.problems,
    ...plan.notes,
  ];
  return { schema: 'snapproof.drill-preview/v1', resumes, plan, lines };
}

function itemWords(item: PlanItem, rule: MachineRule, request: PlanRequest): string {
  const { machine, path, takenAt, selection } = item;
  const chosen = `${selection.how}${selection.seed === null ? '' : ` with seed ${selection.seed}`}, ${selection.chosen} of ${selection.population}`;
  const head = `${machine}, ${takenAt ? `taken ${takenAt}` : 'time unknown'}, ${path}: depth ${rule.policy.depth}; chosen as ${chosen}`;
  if (item.unreadable !== null) return `${head}. Cannot be read: ${item.unreadable}`;
  const proven = request.ledger ? lastProven(request.ledger, machine, rule.policy.depth) : null;
  return `${head}; ${proven === null ? 'the machine was never proven' : `the machine was last proven at ${proven}`}${mayHold(item, rule, request) ? '; a record may still hold: its bytes would be read first' : ''}.`;
}

/** By path alone, because nothing is opened here. */
function mayHold({ machine, path }: PlanItem, rule: MachineRule, { ledger, now }: PlanRequest): boolean {
  if (rule.everySeconds === null || !ledger) return false;
  const policy = digestOf(rule.policy);
  for (const { document } of recordsOf(ledger, machine, 'passed')) {
    if (now.getTime() - Date.parse(document.finishedAt) > rule.everySeconds * 1000) return false;
    const same = document.restorePoint.files.some((file) => file.path === path || file.path.startsWith(`${path}/`));
    if (same && document.policy.sha256 === policy) return true;
  }
  return false;
}

function overdueWords(plan: Plan, { policy, ledger, now }: PlanRequest): string[] {
  if (!ledger) return [];
  const chosen = new Set(plan.items.map(({ machine }) => machine));
  return overdueMachines(ledger, plan.machines, policy.machines, now).map(
    ({ machine, dueEverySeconds }) =>
      `${machine} has not been proven within ${durationWords(dueEverySeconds)}${chosen.has(machine) ? '' : ', and nothing of it is chosen: it would be overdue'}.`,
  );
}
