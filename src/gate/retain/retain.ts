/** From folders to a plan: finds restore points, their chains and their proofs, and lets the planner decide. */
import { stat } from 'node:fs/promises';
import type { Ledger, Stored } from '../../ledger/index.js';
import type { VerificationRecord } from '../../types.js';
import { CLOCK_TOLERANCE_MS } from '../assess.js';
import { recordsOfMachine } from '../candidates.js';
import type { Subject } from '../subject.js';
import { chainsOf, type Needs } from './chains.js';
import { discover, type FoundPoint } from './discover.js';
import { byMachine, newestProven, type PlannedPoint, planRetention, type RetainPoint } from './plan.js';
import { type Proof, type ProofOptions, proofsOf } from './proofs.js';
import type { RetentionRules } from './rules.js';

/** Of a machine. A restore point whose records are older than these counts as not proven: only the rules over all keep it. */
const MOST_RECORDS = 1000;

/** What a restore point is called elsewhere than in itself: by its real path. */
export type Names = ReadonlyMap<string, { machine: string; takenAt: string | null }>;

export interface RetainRequest {
  paths: string[];
  names?: Names;
  rules: RetentionRules;
  proof: ProofOptions;
}

/** What everything older of a machine is replaced by, and its files as they were read. */
export interface Anchor {
  machine: string;
  found: FoundPoint;
  /** Null: with trust in names, lengths and times nothing was read. */
  subject: Subject | null;
}

export interface RetainPlan {
  planned: PlannedPoint[];
  anchors: Anchor[];
}

export async function makePlan({ paths, names = new Map(), rules, proof }: RetainRequest): Promise<RetainPlan> {
  const { found: anonymous, unreadable } = await discover(paths);
  const found = anonymous.map((point) => named(point, names));
  const allowedFolders = await foldersOf([...paths, ...proof.allowedFolders]);
  const chains = await chainsOf(found, allowedFolders);
  const question = { ...proof.question, ofMachine: remembered(proof.question.ledger) };
  const proofs = await allProofs(found, chains, { ...proof, question, allowedFolders });
  const points = new Map(found.map((one) => [one, toPoint(one, chains.get(one), proofs.get(one))]));
  const { now, ledger } = proof.question;
  const planned = planRetention([...points.values()], { rules, now, doubts: [...unreadable, ...clockDoubts(ledger, now)] });
  return { planned, anchors: anchorsOf(points, proofs, now) };
}

/** As in a drill: who names it says which machine it is of; when it was taken only where somebody knows. */
function named(point: FoundPoint, names: Names): FoundPoint {
  const name = names.get(point.path);
  if (!name) return point;
  const { restorePoint } = point;
  return { ...point, restorePoint: { ...restorePoint, machine: name.machine, takenAt: name.takenAt ?? restorePoint.takenAt } };
}

/** One look-up per machine, however many restore points it has. */
function remembered(ledger: Ledger): (machine: string) => Stored<VerificationRecord>[] {
  const known = new Map<string, Stored<VerificationRecord>[]>();
  return (machine) => {
    const records = known.get(machine) ?? recordsOfMachine(ledger, machine, MOST_RECORDS);
    known.set(machine, records);
    return records;
  };
}

/** Where members of chains may lie: all that was named, but not what surrounds a file that was named. */
async function foldersOf(paths: string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => ((await stat(path)).isDirectory() ? [path] : [])));
  return found.flat();
}

async function allProofs(found: FoundPoint[], chains: Map<FoundPoint, Needs>, options: ProofOptions): Promise<Map<FoundPoint, Proof>> {
  const points = new Map(found.map((one) => [toPoint(one, chains.get(one), undefined), one]));
  const proofs = new Map<FoundPoint, Proof>();
  for (const group of byMachine([...points.keys()])) {
    // Only what could ever be the newest proven one; the planner says why the others stay.
    const dated = group.filter(
      ({ takenAt, doubts }) => takenAt !== null && doubts.length === 0 && Date.parse(takenAt) <= options.question.now.getTime() + CLOCK_TOLERANCE_MS,
    );
    const newestFirst = dated.sort((a, b) => Date.parse(b.takenAt ?? '') - Date.parse(a.takenAt ?? '')).flatMap((point) => points.get(point) ?? []);
    for (const [point, proof] of await proofsOf(newestFirst, options)) proofs.set(point, proof);
  }
  return proofs;
}

function toPoint({ path, restorePoint: { id, machine, takenAt } }: FoundPoint, needs: Needs | undefined, proof: Proof | undefined): RetainPoint {
  const chain = needs ?? { needs: [], doubts: [], needsUnknown: 'no' };
  return { id, path, machine, takenAt, proven: proof?.proven ?? false, proof: proof?.text ?? 'not looked for', ...chain };
}

/** A ledger that ends in the future means that this clock went back: then every age is wrong. */
function clockDoubts(ledger: Ledger, now: Date): string[] {
  const last = ledger.at(ledger.head().count);
  if (!last || Date.parse(last.entry.appendedAt) <= now.getTime() + CLOCK_TOLERANCE_MS) return [];
  return [`The last entry of the ledger was made in the future (${last.entry.appendedAt}, now it is ${now.toISOString()}): the clock of this host is wrong.`];
}

function anchorsOf(points: Map<FoundPoint, RetainPoint>, proofs: Map<FoundPoint, Proof>, now: Date): Anchor[] {
  const foundOf = new Map([...points].map(([found, point]) => [point, found]));
  return byMachine([...points.values()]).flatMap((group) => {
    const newest = newestProven(group, now);
    const found = newest && foundOf.get(newest);
    return newest && found ? [{ machine: newest.machine, found, subject: proofs.get(found)?.subject ?? null }] : [];
  });
}
