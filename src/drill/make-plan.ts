/** Makes the plan of a drill: what the sources hold, what is chosen of it, and until when. Nothing is verified and nothing stored. */
import { randomBytes } from 'node:crypto';
import { SnapproofError } from '../errors.js';
import type { Spool } from '../gate/spool/index.js';
import { type Ledger, newRecordId } from '../ledger/index.js';
import { loadRestorePoints } from '../sources/index.js';
import { knownMachines, lastProvenOf, previousDrill } from './history.js';
import type { Plan } from './plan.js';
import { deadlineAfter } from './policy/duration.js';
import type { DrillPolicy } from './policy/types.js';
import { selectItems } from './select.js';
import { type Candidate, type Listing, listSources } from './sources/index.js';
import { listQueue } from './sources/path.js';

export interface PlanRequest {
  policy: DrillPolicy;
  /** Null: nothing was ever stored. */
  ledger: Ledger | null;
  spool: Spool;
  signal: AbortSignal;
  now: Date;
}

export async function makePlan(request: PlanRequest): Promise<Plan> {
  const { policy, ledger, now } = request;
  const { candidates, notes, problems } = await listSources(policy.sources, () => waiting(request.spool), request.signal);
  const listed = [...new Set(candidates.map(({ machine }) => machine))];
  const { items, unmatched } = selectItems({
    candidates,
    rules: policy.machines,
    select: policy.select,
    seed: policy.select.seed ?? randomBytes(8).toString('hex'),
    verified: await verifiedPaths(request, candidates),
    lastProven: ledger ? lastProvenOf(ledger, listed, policy.machines) : new Map(),
    now,
  });
  const left =
    unmatched.length > 0 ? [`Left out because no rule of the policy fits: ${unmatched.slice(0, 20).join(', ')}${unmatched.length > 20 ? ', ...' : ''}.`] : [];
  return {
    id: newRecordId(now),
    name: policy.name,
    policy: { path: policy.path, sha256: policy.sha256 },
    startedAt: now.toISOString(),
    deadlineAt: policy.deadline === null ? null : deadlineAfter(now, policy.deadline).toISOString(),
    headSeq: ledger?.head().count ?? 0,
    items,
    machines: knownMachines(listed, ledger && previousDrill(ledger, policy.name), policy.machines),
    notes: [...notes, ...left],
    problems,
  };
}

/** Of `unverified`: paths that a record of the last days says something of. One that was inconclusive says nothing. */
async function verifiedPaths({ policy, ledger, now }: PlanRequest, candidates: Candidate[]): Promise<Set<string>> {
  const { forSeconds } = policy.select;
  if (forSeconds === null || !ledger) return new Set();
  const from = new Date(now.getTime() - forSeconds * 1000).toISOString();
  const records = ledger.between(from, now.toISOString(), 'record').filter(({ document }) => document.verdict !== 'inconclusive');
  const known = new Set(records.map(({ document }) => document.restorePoint.id));
  const found = new Set<string>();
  for (const { path } of candidates) if (known.has((await idOf(path)) ?? '')) found.add(path);
  return found;
}

async function idOf(path: string): Promise<string | null> {
  try {
    return (await loadRestorePoints([path]))[0]?.id ?? null;
  } catch (error) {
    if (error instanceof SnapproofError) return null;
    throw error;
  }
}

async function waiting(spool: Spool): Promise<Listing> {
  const { entries, unreadable } = await spool.list();
  return listQueue(entries, unreadable);
}
