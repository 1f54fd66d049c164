/** What the ledger says of machines: when they were last proven, and what an earlier record still proves. */
import type { DrillDocument, OverdueMachine } from '../documents.js';
import { drillVerdict, rejection } from '../gate/candidates.js';
import type { Ledger, Stored } from '../ledger/index.js';
import type { Depth, VerificationRecord } from '../types.js';
import { isPattern } from './policy/patterns.js';
import { type MachineRule, reaches } from './policy/types.js';
import { ruleFor } from './select.js';

/** How far back one machine's records are gone through. */
const MAX_STEPS = 200;

/** Machines of controls carry this before their name; they never count as machines. */
export const CONTROL_PREFIX = 'control:';

/** Records of a machine, the last appended first. */
export function* recordsOf(ledger: Ledger, machine: string, verdict?: VerificationRecord['verdict']): Generator<Stored<VerificationRecord>> {
  let beforeSeq: number | undefined;
  for (let step = 0; step < MAX_STEPS; step++) {
    const stored = ledger.latestFor(machine, { ...(verdict ? { verdict } : {}), ...(beforeSeq === undefined ? {} : { beforeSeq }) });
    if (!stored) return;
    yield stored;
    beforeSeq = stored.entry.seq;
  }
}

/** Whether a record counts: its drill was not void, and nobody who looked at it rejected it. */
export function stands(ledger: Ledger, record: VerificationRecord): boolean {
  return drillVerdict(ledger, record) !== 'void' && rejection(ledger, record) === null;
}

/** When the newest record was made that passed at this depth or deeper; null: never. */
export function lastProven(ledger: Ledger, machine: string, depth: Depth): string | null {
  for (const { document } of recordsOf(ledger, machine, 'passed'))
    if (reaches(document.policy.depth, depth) && stands(ledger, document)) return document.finishedAt;
  return null;
}

/** By machine, as its rule asks; machines without a rule are left out. */
export function lastProvenOf(ledger: Ledger, machines: Iterable<string>, rules: MachineRule[]): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const machine of machines) {
    const rule = rules[ruleFor(machine, rules)];
    if (rule) found.set(machine, lastProven(ledger, machine, rule.policy.depth));
  }
  return found;
}

/** Machines that have to be proven again and again, and were not within their time. */
export function overdueMachines(ledger: Ledger, machines: string[], rules: MachineRule[], now: Date): OverdueMachine[] {
  return machines.flatMap((machine) => {
    const rule = rules[ruleFor(machine, rules)];
    if (!rule || rule.retired || rule.everySeconds === null) return [];
    const lastProvenAt = lastProven(ledger, machine, rule.policy.depth);
    const age = lastProvenAt === null ? Number.POSITIVE_INFINITY : (now.getTime() - Date.parse(lastProvenAt)) / 1000;
    return age <= rule.everySeconds ? [] : [{ machine, lastProvenAt, dueEverySeconds: rule.everySeconds }];
  });
}

/** Those listed now, those of the last drill of this name, and those that the policy names in full. Retired ones are let go. */
export function knownMachines(listed: string[], previous: DrillDocument | null, rules: MachineRule[]): string[] {
  const named = rules.flatMap(({ match }) => match.filter((name) => !isPattern(name)));
  const before = previous ? [...(previous.machines ?? []), ...previous.items.map(({ machine }) => machine)] : [];
  const all = new Set([...listed, ...before, ...named]);
  return [...all].filter((machine) => !machine.startsWith(CONTROL_PREFIX) && rules[ruleFor(machine, rules)]?.retired === false).sort();
}

export function previousDrill(ledger: Ledger, name: string): DrillDocument | null {
  return ledger.documents({ kind: 'drill', limit: 500 }).find(({ document }) => document.name === name)?.document ?? null;
}

/** Records that a drill appended so far, by machine and restore point. */
export function recordsOfDrill(ledger: Ledger, drillId: string, afterSeq: number): VerificationRecord[] {
  const found: VerificationRecord[] = [];
  const last = ledger.head().count;
  for (let seq = afterSeq + 1; seq <= last; seq++) {
    const document = ledger.at(seq)?.document;
    if (document?.schema !== 'snapproof.record/v1') continue;
    const record = document as VerificationRecord;
    if (record.drill?.id === drillId) found.push(record);
  }
  return found;
}
