/** What all records about the same bytes prove together. Pure. */
import type { Stored } from '../ledger/index.js';
import { depthReaches } from '../runner/run-checks.js';
import type { VerificationRecord } from '../types.js';
import { count } from '../words.js';
import { type Candidate, depthOf, isControl, type Shortfall, shortfallsOf } from './assess.js';
import type { Requirements } from './requirements.js';

/** `missing`: no proof, or one that is not good enough. `broken`: the ledger does not hold where the answer relies on it. */
export type Answer = 'proven' | 'missing' | 'failed' | 'inconclusive' | 'broken';

export interface Decision {
  answer: Answer;
  /** The record that decides; null: there is none. */
  record: Stored<VerificationRecord> | null;
  /** Why the gate stays shut; empty when it opens. */
  missing: Shortfall[];
  /** What is worth knowing and decides nothing. */
  notes: string[];
}

/** @param candidates all records about the same bytes, the last appended first */
export function decide(candidates: Candidate[], requirements: Requirements, now: Date): Decision {
  const counting = candidates.filter(({ stored }) => !isControl(stored.document));
  const controls = candidates.length - counting.length;
  const notes = controls === 0 ? [] : [`${count(controls, 'record')} of known-bad controls about the same bytes left aside.`];
  const decision = brokenChain(counting) ?? unrefutedFailure(counting) ?? bestPass(counting, requirements, now) ?? withoutPass(counting);
  return { ...decision, notes: [...notes, ...decision.notes] };
}

function brokenChain(candidates: Candidate[]): Decision | null {
  const found = candidates.find(({ broken }) => broken.length > 0);
  if (!found) return null;
  return { answer: 'broken', record: found.stored, missing: found.broken.map((message) => ({ code: 'ledger', message })), notes: [] };
}

/** A failure stands until the same bytes passed later at a depth that does all that the failed verification did. */
function unrefutedFailure(candidates: Candidate[]): Decision | null {
  const failure = candidates.find(
    (candidate, index) => wordOf(candidate) === 'failed' && !candidates.slice(0, index).some((later) => refutes(later, candidate)),
  );
  if (!failure) return null;
  const { document } = failure.stored;
  const passedLater = candidates.slice(0, candidates.indexOf(failure)).some((later) => wordOf(later) === 'passed');
  const notes = passedLater ? ['A later verification passed, but it did not do all that the failed one did (or does not count), so the failure stands.'] : [];
  return {
    answer: 'failed',
    record: failure.stored,
    missing: [{ code: 'failed', message: `These bytes failed verification. ${firstReason(document)}` }],
    notes,
  };
}

function refutes(later: Candidate, failed: Candidate): boolean {
  const [did, needed] = [depthOf(later.stored.document), depthOf(failed.stored.document) ?? 'full'];
  const counts = later.drillVerdict !== 'void' && later.rejected === null;
  return wordOf(later) === 'passed' && counts && did !== null && depthReaches(did, needed);
}

/** The newest passed record that is good enough; else what the one that lacks least lacks. */
function bestPass(candidates: Candidate[], requirements: Requirements, now: Date): Decision | null {
  const passed = candidates.filter((candidate) => wordOf(candidate) === 'passed');
  const judged = passed.map((candidate) => ({ candidate, missing: shortfallsOf(candidate, requirements, now) }));
  const best = judged.reduce<(typeof judged)[number] | null>((a, b) => (a && a.missing.length <= b.missing.length ? a : b), null);
  if (!best) return null;
  const later = candidates.slice(0, candidates.indexOf(best.candidate)).find((candidate) => wordOf(candidate) === 'inconclusive');
  const notes = later ? [`A later verification was inconclusive (record ${later.stored.document.id}); it takes nothing from what this record proves.`] : [];
  return { answer: best.missing.length === 0 ? 'proven' : 'missing', record: best.candidate.stored, missing: best.missing, notes };
}

function withoutPass([newest]: Candidate[]): Decision {
  if (!newest)
    return { answer: 'missing', record: null, missing: [{ code: 'no-record', message: 'The ledger holds no record about exactly these bytes.' }], notes: [] };
  const { document } = newest.stored;
  const message = `The verification of these bytes was inconclusive: it proves neither that they can be restored nor that they cannot. ${firstReason(document)}`;
  return { answer: 'inconclusive', record: newest.stored, missing: [{ code: 'inconclusive', message }], notes: [] };
}

function wordOf({ stored }: Candidate): VerificationRecord['verdict'] {
  return stored.document.verdict;
}

function firstReason({ reasons }: VerificationRecord): string {
  return reasons?.[0] ?? '';
}
