/**
 * Which restore points may go. Pure, and careful: whatever is in doubt stays.
 * Per machine: nothing goes that is not older than its newest proven restore point; rules of retention keep more; what something that stays
 * is backed by stays too.
 */
import { byMoment, type RetentionRules, selected } from './rules.js';

/** One restore point, as far as a plan needs to know it. */
export interface RetainPoint {
  id: string;
  path: string;
  machine: string;
  /** Null: not known. */
  takenAt: string | null;
  /** The gate opens for it. */
  proven: boolean;
  /** Why not, or what proves it; for people. */
  proof: string;
  /** Ids of restore points whose files this one needs: members of its backing chains, or the folder it lies in. */
  needs: string[];
  /** Whatever makes it doubtful, in sentences. It stays. */
  doubts: string[];
  /** Which others it may need cannot be told: then nothing of its machine, or nothing at all, may go. */
  needsUnknown: 'no' | 'machine' | 'all';
}

export interface PlannedPoint {
  point: RetainPoint;
  goes: boolean;
  /** Why it stays, or why it may go. Never empty. */
  why: string[];
}

export interface PlanOptions {
  rules: RetentionRules;
  now: Date;
  /** Doubts about everything, such as a clock that is wrong: then nothing goes. */
  doubts: string[];
}

/** Clocks of two hosts may differ by so much. */
const TOLERANCE_MS = 5 * 60_000;

/** @returns every restore point once, in the order given */
export function planRetention(points: RetainPoint[], options: PlanOptions): PlannedPoint[] {
  const reasons = new Map<RetainPoint, string[]>(points.map((point) => [point, [...options.doubts, ...ownDoubts(point, options.now)]]));
  const blockers = points.filter(({ needsUnknown }) => needsUnknown !== 'no');
  for (const point of points) reasons.get(point)?.push(...blockedBy(point, blockers));
  for (const group of byMachine(points)) keepOfMachine(group, newestProven(group, options.now), options, reasons);
  keepWhatIsNeeded(points, reasons);
  return points.map((point) => planned(point, reasons.get(point) ?? []));
}

function planned(point: RetainPoint, stays: string[]): PlannedPoint {
  if (stays.length > 0) return { point, goes: false, why: [...new Set(stays)] };
  return { point, goes: true, why: [`It is older than the newest proven restore point of ${point.machine}, and no rule keeps it.`] };
}

/** What everything older may be replaced by. @param group restore points of one machine */
export function newestProven(group: RetainPoint[], now: Date): RetainPoint | null {
  return soundOnes(group, now).at(-1) ?? null;
}

function soundOnes(group: RetainPoint[], now: Date): RetainPoint[] {
  return datedOnes(group, now).filter((point) => point.proven && point.doubts.length === 0);
}

function datedOnes(group: RetainPoint[], now: Date): RetainPoint[] {
  return group.filter((point) => ownDoubts({ ...point, doubts: [] }, now).length === 0).sort(byMoment);
}

function ownDoubts({ takenAt, doubts }: RetainPoint, now: Date): string[] {
  if (takenAt === null) return [...doubts, 'When it was taken is not known.'];
  const at = Date.parse(takenAt);
  if (Number.isNaN(at)) return [...doubts, `When it was taken is no instant (${takenAt}).`];
  return at > now.getTime() + TOLERANCE_MS ? [...doubts, `It was taken in the future (${takenAt}): one of the clocks is wrong.`] : doubts;
}

function blockedBy(point: RetainPoint, blockers: RetainPoint[]): string[] {
  const blocker = blockers.find((other) => other.needsUnknown === 'all' || (other.needsUnknown === 'machine' && other.machine === point.machine));
  return blocker ? [`What ${blocker.path} needs cannot be told: ${blocker.doubts[0] ?? 'its chain of backing files cannot be followed'}`] : [];
}

export function byMachine(points: RetainPoint[]): RetainPoint[][] {
  const machines = new Map<string, RetainPoint[]>();
  for (const point of points) machines.set(point.machine, [...(machines.get(point.machine) ?? []), point]);
  return [...machines.values()];
}

function keepOfMachine(group: RetainPoint[], anchor: RetainPoint | null, { rules, now }: PlanOptions, reasons: Map<RetainPoint, string[]>): void {
  const keep = (point: RetainPoint, why: string): unknown => reasons.get(point)?.push(why);
  for (const point of group) {
    if (!anchor) keep(point, `No restore point of ${point.machine} is proven, so nothing of it may go.`);
    else if (point === anchor) keep(point, `It is the newest proven one of ${point.machine}.`);
    else if (!isOlder(point, anchor)) keep(point, `It is not older than the newest proven one of ${point.machine}, which was taken ${anchor.takenAt}.`);
  }
  // Over all, and over the proven ones alone: a bad backup never takes the place of a good one.
  for (const { point, rule } of selected(datedOnes(group, now), rules)) keep(point, `Rule: ${rule}.`);
  for (const { point, rule } of selected(soundOnes(group, now), rules)) keep(point, `Rule: ${rule}, among the proven ones.`);
}

function isOlder(point: RetainPoint, anchor: RetainPoint): boolean {
  return point.takenAt !== null && anchor.takenAt !== null && Date.parse(point.takenAt) < Date.parse(anchor.takenAt);
}

/** What stays keeps what it needs, also through others, and whatever machine that belongs to. */
function keepWhatIsNeeded(points: RetainPoint[], reasons: Map<RetainPoint, string[]>): void {
  const byId = new Map(points.map((point) => [point.id, point]));
  const open = points.filter((point) => (reasons.get(point)?.length ?? 0) > 0);
  const seen = new Set(open);
  for (let point = open.pop(); point; point = open.pop()) {
    for (const id of point.needs) {
      const needed = byId.get(id);
      if (!needed || needed === point) continue;
      reasons.get(needed)?.push(`${point.path} stays, and needs its files.`);
      if (!seen.has(needed)) {
        seen.add(needed);
        open.push(needed);
      }
    }
  }
}

/** What goes, in an order in which nothing is removed before what needs it. */
export function removalOrder(plan: PlannedPoint[]): RetainPoint[] {
  const going = plan.filter(({ goes }) => goes).map(({ point }) => point);
  const order: RetainPoint[] = [];
  const visited = new Set<RetainPoint>();
  const needing = new Map<string, RetainPoint[]>();
  for (const point of going) for (const id of point.needs) needing.set(id, [...(needing.get(id) ?? []), point]);
  const visit = (point: RetainPoint): void => {
    if (visited.has(point)) return;
    visited.add(point);
    for (const other of needing.get(point.id) ?? []) visit(other);
    order.push(point);
  };
  for (const point of [...going].sort(byMoment)) visit(point);
  return order;
}
