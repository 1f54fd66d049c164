/** The Check interface: all that a check and the runner know of each other. */
import type { CheckLabs } from './labs/lab.js';
import type {
  CheckStage,
  DatabaseInstance,
  Depth,
  Expectation,
  ExpectedService,
  GuestEntry,
  GuestFiles,
  Inspection,
  Judgement,
  ProgressSink,
  RestorePoint,
  SnapshotImage,
  SqlAnswer,
  SqlQuestion,
  Volume,
} from './types.js';
import type { Way } from './ways.js';

/** What one run of a check looks at. */
export type CheckTarget =
  | { kind: 'image'; id: string; image: SnapshotImage }
  | { kind: 'volume'; id: string; volume: Volume }
  | { kind: 'instance'; id: string; instance: DatabaseInstance }
  | { kind: 'memory'; id: string; path: string }
  | { kind: 'way'; id: Way; way: Way }
  | ExpectationTarget;

/** Something that the policy says must be true in the data. */
export interface ExpectationTarget {
  kind: 'expectation';
  id: string;
  expectation: Expectation;
  /** The database it is about, or why there is none; of files always null. */
  instance: DatabaseInstance | { missing: string; sure: boolean } | null;
}

export interface CheckContext<Options> {
  restorePoint: RestorePoint;
  inspection: Inspection;
  labs: CheckLabs;
  options: Options;
  /** How deep the policy goes: what it does not ask for may be left open. Absent: not known. */
  depth?: Depth;
  signal: AbortSignal;
  progress: ProgressSink;
  /** Runs `work` once per key and restore point, so that checks of one family share a pass over the same bytes. */
  once<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** All queries of the policy: an engine takes up those for its instance in the one start that all its checks share. Absent: there are none. */
  questions?: readonly SqlQuestion[];
  /** Services that the policy names: what the guest must offer once it is back. Absent: none. */
  services?: readonly ExpectedService[];
  /** Puts a question to a database by the client of its engine. @throws NotTestedError, LabError when it cannot be asked. */
  ask?(instance: DatabaseInstance, question: SqlQuestion): Promise<SqlAnswer>;
}

/**
 * A check collects evidence (all I/O, may throw: the runner makes that an `error`) and judges it (pure, must not throw).
 * Evidence is plain JSON: saved evidence can be judged again without a lab.
 * Only the runner makes `skip` and `error`.
 */
export interface Check<Evidence = unknown, Options = unknown> {
  /** `family/name`, the same as its folder below `checks/`. */
  id: string;
  /** States the passing condition: "Every page carries the checksum of its own bytes". */
  title: string;
  failureTitle: string;
  /** What it proves, in a sentence or two; the README beside it has the rest. */
  description: string;
  stage: CheckStage;
  /** The least depth at which it runs. */
  depth: Depth;
  targetKind: CheckTarget['kind'];
  /** The dearest lab that `collect` uses. */
  lab: 'none' | 'sandbox' | 'appliance' | 'machine';
  timeoutMs: number;
  /** JSON Schema of its options; validated by ajv before anything starts. */
  optionsSchema: object;
  defaultOptions: Options;
  /** Why it does not apply to this target, or null when it applies. Pure. */
  skipReason(target: CheckTarget, inspection: Inspection): string | null;
  collect(target: CheckTarget, context: CheckContext<Options>): Promise<Evidence>;
  evaluate(evidence: Evidence, options: Options): Judgement;
}

/** Keeps the types of evidence and options while a registry holds checks of all kinds. */
export function defineCheck<Evidence, Options>(check: Check<Evidence, Options>): Check<Evidence, Options> {
  return check;
}

/** The options of a check that has none. */
export type NoOptions = Record<string, never>;

/** A check of the captured files of a database, without options: nothing of the guest runs, and no lab is needed but its files. */
export interface StaticCheck<Evidence>
  extends Pick<Check<Evidence, NoOptions>, 'id' | 'title' | 'failureTitle' | 'description' | 'timeoutMs' | 'skipReason' | 'evaluate'> {
  collect(instance: DatabaseInstance, context: CheckContext<NoOptions>): Promise<Evidence>;
}

export function defineStaticCheck<Evidence>(check: StaticCheck<Evidence>): Check<Evidence, NoOptions> {
  const { id, title, failureTitle, description, timeoutMs, skipReason, evaluate } = check;
  return {
    ...{ id, title, failureTitle, description, stage: 'static', depth: 'static', targetKind: 'instance', lab: 'none', timeoutMs },
    ...{ optionsSchema: { type: 'object', additionalProperties: false, properties: {} }, defaultOptions: {}, skipReason, evaluate },
    collect: async (target, context) => check.collect(instanceOf(target), context),
  };
}

/** @throws TypeError when the target is no database; `skipReason` lets none of these through. */
export function instanceOf(target: CheckTarget): DatabaseInstance {
  if (target.kind !== 'instance') throw new TypeError(`${target.id} is no database`);
  return target.instance;
}

/** Why a target is no database of these engines, or null when it is one. `name` is how people call the engine. */
export function otherThan(target: CheckTarget, engines: string[], name: string): string | null {
  if (target.kind !== 'instance') return 'this is no database';
  const { engine } = target.instance;
  return engines.includes(engine) ? null : `this is a ${engine} database, not ${name}`;
}

/** All files of a guest, for searches over the whole of it. */
export interface GuestTree {
  files: GuestFiles;
  entries(): Iterable<GuestEntry>;
}

/** Finds the databases of one engine anywhere in a guest, by their files alone. */
export interface EngineFinder {
  engine: string;
  find(tree: GuestTree): Promise<DatabaseInstance[]>;
  /** Asks an instance a question, on a throw-away state of it, recovered. Absent: this engine cannot be asked yet. */
  ask?(instance: DatabaseInstance, question: SqlQuestion, context: CheckContext<unknown>): Promise<SqlAnswer>;
}
