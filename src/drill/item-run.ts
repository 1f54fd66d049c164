/** One restore point of a drill, from its path to its record. */
import { readFileSync, statSync } from 'node:fs';
import type { DrillItemState } from '../documents.js';
import { LedgerError, SnapproofError, UsageError } from '../errors.js';
import type { Spool } from '../gate/spool/index.js';
import { parseDomain } from '../hardware/domain.js';
import type { Ledger } from '../ledger/index.js';
import { loadRestorePoints } from '../sources/index.js';
import type { RestorePoint, VerificationRecord } from '../types.js';
import { type MemoryBudget, needMiB } from './budget.js';
import type { ItemRequest } from './child.js';
import { HEARTBEAT_MS, withHeartbeat } from './heartbeat.js';
import type { Plan, PlanItem } from './plan.js';
import type { DrillPolicy, MachineRule } from './policy/types.js';
import type { DrillStore } from './state/store.js';
import { stillValid } from './still-valid.js';

export type VerifyItem = (request: ItemRequest, signal: AbortSignal, stage: (name: string) => void) => Promise<VerificationRecord>;

export interface ItemsRequest {
  plan: Plan;
  policy: DrillPolicy;
  ledger: Ledger;
  /** Stores a record; throws LedgerError when it cannot. */
  append: (record: VerificationRecord) => Promise<unknown>;
  verify: VerifyItem;
  store: DrillStore;
  spool: Spool;
  artefactFolder: string;
  /** Records of this drill from before it was interrupted. */
  before: VerificationRecord[];
  /** Aborted with an InterruptedError by the user. */
  signal: AbortSignal;
  say: (line: string) => void;
  now: () => Date;
}

/** A restore point whose run ended with the host this often is not begun again. */
const MAX_BEGUN = 3;

export interface Result {
  state: DrillItemState;
  record: VerificationRecord | null;
  restorePoint: string;
  why: string[];
}

export class ItemRun {
  private readonly rule: MachineRule;

  constructor(
    private readonly request: ItemsRequest,
    private readonly item: PlanItem,
    /** Of the user, the deadline, and a ledger that cannot be written. */
    private readonly signal: AbortSignal,
    private readonly budget: MemoryBudget,
    private readonly past: Past,
  ) {
    this.rule = ruleOf(request.policy, item);
  }

  /** @throws LedgerError */
  async result(): Promise<Result> {
    const { path, unreadable, queued } = this.item;
    if (unreadable !== null) {
      // Said once: what is gone, or of a kind that is not read, would stand in the queue for ever.
      if (queued !== undefined) await this.request.spool.remove(queued);
      return nothing('unreadable', path, [unreadable]);
    }
    if (this.signal.aborted) return nothing('not-reached', path, ['The deadline came first.']);
    let id = path;
    try {
      return await this.outOfQueue(async () => {
        const restorePoint = await this.load();
        id = restorePoint.id;
        return this.judged(restorePoint);
      });
    } catch (error) {
      if (this.signal.aborted) return nothing('not-reached', id, ['The deadline came while it was verified.']);
      if (!(error instanceof SnapproofError) || error instanceof LedgerError) throw error;
      return nothing('unreadable', id, [[sentence(error.message), error.advice].filter(Boolean).join(' ')]);
    }
  }

  private async load(): Promise<RestorePoint> {
    const [found] = await loadRestorePoints([this.item.path]);
    const restorePoint = found as RestorePoint;
    return { ...restorePoint, machine: this.item.machine, takenAt: this.item.takenAt ?? restorePoint.takenAt };
  }

  private async judged(restorePoint: RestorePoint): Promise<Result> {
    const { ledger, policy, now } = this.request;
    const done = this.past.records.get(pointKey(restorePoint));
    if (done) return withRecord('verified', done, []);
    const valid = await stillValid(restorePoint, this.rule, { ledger, trustStamps: policy.trustStamps, now: now(), signal: this.signal });
    if (valid)
      return withRecord('still-valid', valid, [`Proven at ${valid.finishedAt}, and ${policy.trustStamps ? 'not written since' : 'its bytes are the same'}.`]);
    const begun = this.past.begun.get(this.item.path) ?? 0;
    if (begun >= MAX_BEGUN)
      return nothing('unreadable', restorePoint.id, [
        `It was begun ${begun} times, and each time the whole run ended before it was done. It was not begun again.`,
      ]);
    return this.budget.with(needMiB(this.rule.policy, machineMiB(restorePoint)), () => this.verified(restorePoint));
  }

  /** Out of the queue while it is worked on, and for good when there is a record or it is no restore point; else it waits for the next drill. */
  private async outOfQueue(work: () => Promise<Result>): Promise<Result> {
    const { queued } = this.item;
    const taken = queued === undefined ? null : await this.request.spool.takePath(queued);
    try {
      const result = await work();
      await taken?.done();
      return result;
    } catch (error) {
      await (error instanceof UsageError ? taken?.done() : taken?.putBack());
      throw error;
    }
  }

  private async verified(restorePoint: RestorePoint): Promise<Result> {
    const { store, plan, say, now, artefactFolder } = this.request;
    this.signal.throwIfAborted();
    store.note({ at: now().toISOString(), event: 'begun', path: this.item.path });
    say(`${this.item.machine}: begun at depth ${this.rule.policy.depth} (${this.item.path}).`);
    const request = { restorePoint, policy: this.rule.policy, artefactFolder, drill: { id: plan.id, selection: this.item.selection } };
    let stage = 'its start';
    const words = (minutes: number): string => `${this.item.machine}: at work for ${minutes} min, now at ${stage}.`;
    const verify = () => this.request.verify(request, this.signal, (name) => (stage = `the stage "${name}"`));
    const record = await withHeartbeat({ everyMs: HEARTBEAT_MS, words, say }, verify);
    await this.store(record);
    return withRecord('verified', record, []);
  }

  /** A verdict that cannot be stored is said at least. @throws LedgerError */
  private async store(record: VerificationRecord): Promise<void> {
    try {
      await this.request.append(record);
    } catch (error) {
      this.request.say(`${this.item.machine}: ${record.verdict}, but the record could not be stored.`);
      throw error;
    }
  }
}

/** What runs of this drill before this one left: records by restore point, and how often each was begun. */
export interface Past {
  records: Map<string, VerificationRecord>;
  begun: Map<string, number>;
}

export function pastOf({ before, store }: ItemsRequest): Past {
  const begun = new Map<string, number>();
  for (const line of store.journal()) if (line.event === 'begun') begun.set(line.path, (begun.get(line.path) ?? 0) + 1);
  return { records: new Map(before.map((record) => [pointKey(record.restorePoint), record])), begun };
}

function pointKey({ machine, id }: { machine: string; id: string }): string {
  return `${machine}\0${id}`;
}

export function ruleOf(policy: DrillPolicy, item: PlanItem): MachineRule {
  return policy.machines[item.rule] as MachineRule;
}

function nothing(state: DrillItemState, restorePoint: string, why: string[]): Result {
  return { state, record: null, restorePoint, why };
}

function withRecord(state: DrillItemState, record: VerificationRecord, why: string[]): Result {
  return { state, record, restorePoint: record.restorePoint.id, why };
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** Memory of the guest as its manifest, its domain or its saved memory says; null: nothing does. */
function machineMiB({ hardware, configs, memory }: RestorePoint): number | null {
  const sizes = [hardware?.memoryMiB ?? 0, ...configs.map(domainMiB), memory ? (statSync(memory.path, { throwIfNoEntry: false })?.size ?? 0) / 2 ** 20 : 0];
  const largest = Math.ceil(Math.max(...sizes));
  return largest > 0 ? largest : null;
}

function domainMiB(path: string): number {
  if (!/\.xml$/i.test(path)) return 0;
  try {
    return parseDomain(readFileSync(path, 'utf8'))?.memoryMiB ?? 0;
  } catch {
    return 0; // the verification says what is wrong with it
  }
}
