/** Which restore points are verified. Pure: the same listing, records and seed choose the same. */
import { createHash } from 'node:crypto';
import type { Selection } from '../documents.js';
import type { PlanItem } from './plan.js';
import { fits } from './policy/patterns.js';
import type { MachineRule, SelectRule } from './policy/types.js';
import type { Candidate } from './sources/index.js';

export interface SelectionInput {
  candidates: Candidate[];
  rules: MachineRule[];
  select: SelectRule;
  /** Of `random`. */
  seed: string;
  /** Paths of restore points that a record of the time in question is about. */
  verified: ReadonlySet<string>;
  /** By machine: when it was last proven, ISO 8601; null: never. */
  lastProven: ReadonlyMap<string, string | null>;
  now: Date;
}

export interface SelectionResult {
  /** The machines that wait longest first, so that a deadline cuts off the freshest. */
  items: PlanItem[];
  /** Machines that fit no rule. */
  unmatched: string[];
}

/** The first rule that fits; -1: none. */
export function ruleFor(machine: string, rules: readonly Pick<MachineRule, 'match'>[]): number {
  return rules.findIndex(({ match }) => match.some((pattern) => fits(pattern, machine)));
}

export function selectItems(input: SelectionInput): SelectionResult {
  const { rules, select, candidates } = input;
  const ruled = candidates.map((candidate) => ({ candidate, rule: ruleFor(candidate.machine, rules) }));
  const eligible = ruled.filter(({ rule }) => rules[rule]?.retired === false);
  const population = sorted(eligible.map(({ candidate }) => candidate));
  // What somebody put into the queue is verified first, whatever else is chosen.
  const named = urgentFirst(
    population.filter(({ queued }) => queued !== undefined),
    input.lastProven,
  );
  const rest = population.filter(({ queued }) => queued === undefined);
  const chosen = limited(
    choose(select.how === 'latest' ? population : rest, input).filter(({ queued }) => queued === undefined),
    input,
  );
  const counts = { population: population.length };
  const selection: Selection = { how: select.how, seed: select.how === 'random' ? input.seed : null, ...counts, chosen: chosen.length };
  const byName: Selection = { how: 'named', seed: null, ...counts, chosen: named.length };
  const newest = newestOf(population);
  const items = [...named, ...chosen].map((candidate) => ({
    ...candidate,
    rule: ruleFor(candidate.machine, rules),
    selection: candidate.queued === undefined ? selection : byName,
    newestAgeSeconds: ageSeconds(newest.get(candidate.machine)?.takenAt ?? null, input.now),
  }));
  const unmatched = new Set(ruled.filter(({ rule }) => rule < 0).map(({ candidate }) => candidate.machine));
  return { items, unmatched: [...unmatched].sort() };
}

function choose(population: Candidate[], { select, seed, verified, lastProven }: SelectionInput): Candidate[] {
  switch (select.how) {
    case 'latest':
      return urgentFirst([...newestOf(population).values()], lastProven);
    case 'all':
      return urgentFirst(population, lastProven);
    case 'unverified':
      return urgentFirst(
        population.filter(({ path }) => !verified.has(path)),
        lastProven,
      );
    case 'random':
      return shuffled(population, seed);
  }
}

/** The same sample is drawn by anybody who sorts `sha256(seed, NUL, path)`. */
export function shuffled<T extends { path: string }>(population: T[], seed: string): T[] {
  const rank = ({ path }: T): string => createHash('sha256').update(`${seed}\0${path}`).digest('hex');
  const ranked = population.map((member) => ({ member, rank: rank(member) }));
  return ranked.sort((a, b) => compare(a.rank, b.rank) || compare(a.member.path, b.member.path)).map(({ member }) => member);
}

function limited(chosen: Candidate[], { select }: SelectionInput): Candidate[] {
  return select.count === null ? chosen : chosen.slice(0, select.count);
}

function urgentFirst(candidates: Candidate[], lastProven: ReadonlyMap<string, string | null>): Candidate[] {
  const since = ({ machine }: Candidate): string => lastProven.get(machine) ?? '';
  return [...candidates].sort((a, b) => compare(since(a), since(b)) || compare(a.machine, b.machine) || b.orderMs - a.orderMs || compare(a.path, b.path));
}

function sorted(candidates: Candidate[]): Candidate[] {
  return [...candidates].sort((a, b) => compare(a.path, b.path));
}

/** By machine. Of two of the same moment the last path, so that the choice does not depend on the order of the listing. */
function newestOf(population: Candidate[]): Map<string, Candidate> {
  const newest = new Map<string, Candidate>();
  for (const candidate of population) {
    const known = newest.get(candidate.machine);
    if (!known || candidate.orderMs >= known.orderMs) newest.set(candidate.machine, candidate);
  }
  return newest;
}

function ageSeconds(takenAt: string | null, now: Date): number | null {
  return takenAt === null ? null : Math.max(0, Math.round((now.getTime() - Date.parse(takenAt)) / 1000));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
