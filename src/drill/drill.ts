/** The flow of a drill: a plan, made or taken up again; its controls and items; a verdict; the document in the ledger. Read this file first. */
import { join } from 'node:path';
import type { ControlResult, DrillDocument, DrillItem, DrillVerdict, LedgerDocument } from '../documents.js';
import { Spool } from '../gate/spool/index.js';
import { ARTEFACT_FOLDER, type Ledger, plainJson } from '../ledger/index.js';
import type { VerificationRecord } from '../types.js';
import { count } from '../words.js';
import { runControls } from './controls/run.js';
import { overdueMachines, previousDrill, recordsOfDrill } from './history.js';
import type { VerifyItem } from './item-run.js';
import { makePlan } from './make-plan.js';
import type { Plan, PlanItem } from './plan.js';
import type { DrillPolicy } from './policy/types.js';
import { runItems } from './run-items.js';
import { lockFolder } from './state/lock.js';
import { DrillStore, drillFolder } from './state/store.js';
import { foldDrill } from './verdict.js';

export interface DrillRequest {
  policy: DrillPolicy;
  stateFolder: string;
  ledger: Ledger;
  append: (document: LedgerDocument) => Promise<unknown>;
  verify: VerifyItem;
  signal: AbortSignal;
  /** One line for the log of the night. */
  say: (line: string) => void;
  operator: string;
  now: () => Date;
  teller: Teller;
}

/** Who is told, and what came of it. */
export interface Teller {
  start(): Promise<DrillDocument['told']>;
  outcome(document: DrillDocument, previous: DrillVerdict | null): Promise<DrillDocument['told']>;
}

/** An interrupted drill without a deadline is taken up again for so long; after that its choice is stale. */
const RESUME_WITHIN_MS = 24 * 3_600_000;

/**
 * @throws UsageError when another run of this policy is at work, InterruptedError when the user ends it (the next run goes on),
 * LedgerError when something cannot be stored
 */
export async function runDrill(request: DrillRequest): Promise<DrillDocument> {
  const folder = drillFolder(request.stateFolder, request.policy.name, request.policy.path);
  const unlock = lockFolder(folder);
  try {
    sayUntold(await request.teller.start(), request.say);
    const store = new DrillStore(folder);
    const unfinished = await takeUp(request, store);
    const plan = unfinished ?? (await begin(request, store));
    return await carryOut(request, plan, store);
  } finally {
    unlock();
  }
}

/** The plan of an interrupted drill that can go on; one that cannot is brought to its end here, with what it had achieved. */
async function takeUp(request: DrillRequest, store: DrillStore): Promise<Plan | null> {
  const plan = store.plan();
  if (!plan) return null;
  if (request.ledger.find(plan.id)) {
    store.finish();
    return null;
  }
  const why = staleBecause(plan, request);
  if (why === null) {
    store.note({ at: request.now().toISOString(), event: 'resumed' });
    request.say(`Going on with drill ${plan.id}, which was interrupted.`);
    return plan;
  }
  request.say(`Drill ${plan.id} was interrupted and does not go on: ${why} What it achieved is stored, and a new one begins.`);
  await close(request, plan, store, why);
  return null;
}

function staleBecause(plan: Plan, { policy, now }: DrillRequest): string | null {
  if (plan.policy.sha256 !== policy.sha256) return 'the policy was changed since.';
  if (plan.deadlineAt !== null) return Date.parse(plan.deadlineAt) <= now().getTime() ? 'its deadline has passed.' : null;
  return now().getTime() - Date.parse(plan.startedAt) > RESUME_WITHIN_MS ? 'it was begun more than a day ago.' : null;
}

async function close(request: DrillRequest, plan: Plan, store: DrillStore, why: string): Promise<void> {
  const before = recordsOfDrill(request.ledger, plan.id, plan.headSeq);
  const items = plan.items.map((item) => closedItem(item, before, why));
  await conclude(request, plan, store, items, []);
}

/** Without the policy it was begun with: only what its records say. */
function closedItem(item: PlanItem, before: VerificationRecord[], why: string): DrillItem {
  const record = before.find(({ restorePoint }) => restorePoint.files.some(({ path }) => path === item.path || path.startsWith(`${item.path}/`))) ?? null;
  return {
    machine: item.machine,
    restorePoint: record?.restorePoint.id ?? item.path,
    path: item.path,
    takenAt: item.takenAt,
    depth: record?.policy.depth ?? 'static',
    state: record ? 'verified' : 'not-reached',
    recordId: record?.id ?? null,
    verdict: record?.verdict ?? null,
    why: record ? record.reasons.slice(0, 5) : [`The drill was interrupted and did not go on: ${why}`],
    selection: item.selection,
    rto: null,
    rpo: null,
  };
}

async function begin(request: DrillRequest, store: DrillStore): Promise<Plan> {
  const { policy, ledger, stateFolder, signal, now, say } = request;
  const plan = await makePlan({ policy, ledger, spool: new Spool(stateFolder), signal, now: now() });
  store.begin(plan);
  const until = plan.deadlineAt === null ? '' : `, until ${plan.deadlineAt}`;
  say(`Drill ${plan.id} (${plan.name}): ${count(plan.items.length, 'restore point')} of ${count(plan.machines.length, 'machine')}${until}.`);
  for (const text of [...plan.problems, ...plan.notes]) say(text);
  return plan;
}

async function carryOut(request: DrillRequest, plan: Plan, store: DrillStore): Promise<DrillDocument> {
  const { ledger, policy, append, verify, signal, say, now } = request;
  const before = recordsOfDrill(ledger, plan.id, plan.headSeq);
  const artefactFolder = join(request.stateFolder, ARTEFACT_FOLDER);
  const controls = policy.controls ? await runControls({ drillId: plan.id, before, verify, append, artefactFolder, signal, say }) : [];
  const items = await runItems({
    plan,
    policy,
    ledger,
    append,
    verify,
    store,
    spool: new Spool(request.stateFolder),
    artefactFolder,
    before,
    signal,
    say,
    now,
  });
  return conclude(request, plan, store, items, controls);
}

/** The document goes to the ledger before the plan goes: a kill in between leaves a finished drill, known by its id. */
async function conclude(request: DrillRequest, plan: Plan, store: DrillStore, items: DrillItem[], controls: ControlResult[]): Promise<DrillDocument> {
  const { policy, ledger, append, now, operator } = request;
  const finishedAt = now();
  const overdue = overdueMachines(ledger, plan.machines, policy.machines, finishedAt);
  const resumed = store.journal().filter(({ event }) => event === 'resumed').length;
  const document: DrillDocument = plainJson({
    schema: 'snapproof.drill/v1' as const,
    id: plan.id,
    name: plan.name,
    policy: plan.policy,
    startedAt: plan.startedAt,
    finishedAt: finishedAt.toISOString(),
    resumed,
    deadlineAt: plan.deadlineAt,
    ...foldDrill({ items, overdue, controls, withControls: policy.controls, problems: plan.problems }),
    items,
    overdue,
    machines: plan.machines,
    controls,
    told: [],
    operator,
  });
  const told = await request.teller.outcome(document, previousDrill(ledger, plan.name)?.verdict ?? null);
  sayUntold(told, request.say);
  const complete = plainJson({ ...document, told });
  await append(complete);
  store.finish();
  return complete;
}

export function sayUntold(told: DrillDocument['told'], say: (line: string) => void): void {
  for (const { channel, target, ok, why } of told) if (!ok) say(`Could not tell ${target} (${channel}): ${why}.`);
}
