/** Finds and judges the databases below a folder of the host as the runner would do it; evidence goes through JSON, as saved evidence does. */
import type { Check, CheckTarget, EngineFinder } from '../../src/check.js';
import type { CaptureState, DatabaseInstance, InstanceState, Judgement } from '../../src/types.js';
import { type FolderGuest, openFolders } from './folder-guest.js';

export interface Judged {
  instances: DatabaseInstance[];
  /** By check id, of several databases by check id and instance id; checks that do not apply are missing. */
  judgements: Record<string, Judgement>;
  failed: boolean;
  /** Of all findings, each once. */
  codes: string[];
  states: InstanceState[];
  /** What holds data and was not looked at: what, and why. */
  untested: string[];
  /** Sentences of what failed. */
  why: string[];
  /** The largest evidence of a check. */
  evidenceBytes: number;
}

/** Evidence is stored for years: more than this is a mistake of the check. */
const MAX_EVIDENCE_BYTES = 500_000;

/** All databases of one family together: none, one or several. */
export async function judgeFolder(folder: string, finder: EngineFinder, checks: unknown[], state?: CaptureState['state']): Promise<Judged> {
  const guest = await openFolders(folder, finder, state);
  return judgeInstances(guest, guest.instances, checks);
}

/** Each database for itself. */
export async function judgeEach(folder: string, finder: EngineFinder, checks: unknown[]): Promise<(Judged & { instance: DatabaseInstance })[]> {
  const guest = await openFolders(folder, finder);
  const each: (Judged & { instance: DatabaseInstance })[] = [];
  for (const instance of guest.instances) each.push({ instance, ...(await judgeInstances(guest, [instance], checks)) });
  return each;
}

/** The only database below a folder. Throws when there is not exactly one. */
export async function judgeOne(folder: string, finder: EngineFinder, checks: unknown[]): Promise<Judged & { instance: DatabaseInstance }> {
  const [first, ...others] = await judgeEach(folder, finder, checks);
  const found = [first, ...others].flatMap((judged) => judged?.instance.id ?? []);
  if (!first || others.length > 0) throw new Error(`expected one database below ${folder}, found ${found.join(', ') || 'none'}`);
  return first;
}

async function judgeInstances({ context }: FolderGuest, instances: DatabaseInstance[], checks: unknown[]): Promise<Judged> {
  const judgements: Record<string, Judgement> = {};
  let evidenceBytes = 0;
  for (const instance of instances) {
    const target: CheckTarget = { kind: 'instance', id: instance.id, instance };
    for (const check of checks as Check[]) {
      if (check.skipReason(target, context.inspection) !== null) continue;
      const saved = JSON.stringify(await check.collect(target, { ...context, options: check.defaultOptions }));
      evidenceBytes = Math.max(evidenceBytes, saved.length);
      if (saved.length > MAX_EVIDENCE_BYTES) throw new Error(`evidence of ${check.id} has ${saved.length} characters`);
      judgements[instances.length > 1 ? `${check.id} ${instance.id}` : check.id] = check.evaluate(JSON.parse(saved), check.defaultOptions);
    }
  }
  return { instances, judgements, evidenceBytes, ...summarise(Object.values(judgements)) };
}

function summarise(all: Judgement[]): Pick<Judged, 'failed' | 'codes' | 'states' | 'untested' | 'why'> {
  const failures = all.filter(({ outcome }) => outcome === 'fail');
  return {
    failed: failures.length > 0,
    codes: [...new Set(all.flatMap(({ findings }) => findings.map(({ code }) => code)))],
    states: all.map(({ instanceState }) => instanceState ?? 'unknown'),
    untested: all.flatMap(({ untested }) => untested.filter(({ holdsData }) => holdsData).map(({ what, why }) => `${what}: ${why}`)),
    why: failures.map(({ summary }) => summary),
  };
}
