/**
 * Says what was done to a ledger whose chain does not hold, and to which record. Every entry names its predecessor twice, by hash and by
 * record, so the chain is walked backwards from the head: whatever an entry cites was there when it was written.
 * Whoever rewrites all entries from some point on *and* the head leaves nothing to find: see the README beside this file.
 */
import { entryHash, GENESIS_HASH, type LedgerHead } from './entry.js';
import type { CheckedEntry, LedgerProblem } from './verify.js';

/** Hashes spent on finding the number an entry had when it was written; a bound, because a ledger may be large and hostile. */
const SEARCH_BUDGET = 200_000;
/** Problems told; a ledger that was rewritten as a whole needs no longer list. */
const MAX_PROBLEMS = 1000;

interface Walk {
  byHash: Map<string, CheckedEntry>;
  byRecord: Map<string, CheckedEntry>;
  /** Number at the time of writing, by entry. */
  writtenAs: Map<CheckedEntry, number>;
  /** Entries that a later one or the head vouches for, last first. */
  vouched: CheckedEntry[];
  /** Numbers of records that stand elsewhere now. */
  displaced: Set<number>;
  problems: LedgerProblem[];
}

/** What an entry (or the head) says of the entry before it. */
interface Citation {
  hash: string;
  recordId: string;
  seq: number;
}

/** @param entries in the order of their numbers. @returns at least one problem when the chain does not hold. */
export function diagnose(entries: CheckedEntry[], head: LedgerHead | null): LedgerProblem[] {
  const walk = begin(entries);
  reportChanged(walk, entries);
  followBack(walk, entries, startOf(walk, entries, head));
  if (walk.problems.length < MAX_PROBLEMS) {
    reportInserted(walk, entries);
    reportReordered(walk);
  }
  if (walk.problems.length === 0)
    walk.problems.push(headProblem('The entries are numbered anew, or the head was changed, though every entry is as it was written.'));
  return walk.problems.sort((a, b) => (a.seq ?? Number.MAX_SAFE_INTEGER) - (b.seq ?? Number.MAX_SAFE_INTEGER)).slice(0, MAX_PROBLEMS);
}

function begin(entries: CheckedEntry[]): Walk {
  const byHash = new Map(entries.map((entry) => [entry.entryHash, entry]));
  const byRecord = new Map(entries.map((entry) => [entry.recordId, entry]));
  return { byHash, byRecord, writtenAs: findNumbers(entries, byHash), vouched: [], displaced: new Set(), problems: [] };
}

/** The number in the row may have been changed; the one in the hash cannot. Entries whose hash fits no number stay out: they were changed. */
function findNumbers(entries: CheckedEntry[], byHash: Map<string, CheckedEntry>): Map<CheckedEntry, number> {
  const numbers = new Map<CheckedEntry, number>();
  const search = { left: SEARCH_BUDGET };
  const highest = (entries.at(-1)?.seq ?? 0) + entries.length;
  for (const entry of entries) {
    const before = byHash.get(entry.previousHash);
    const guess = entry.previousHash === GENESIS_HASH ? 1 : before && (numbers.get(before) ?? before.seq) + 1;
    const number = [entry.seq, guess].find((seq) => seq !== undefined && fits(entry, seq)) ?? searchNumber(entry, highest, search);
    if (number !== undefined) numbers.set(entry, number);
  }
  return numbers;
}

function searchNumber(entry: CheckedEntry, highest: number, search: { left: number }): number | undefined {
  for (let distance = 1; distance <= highest && search.left > 0; distance++) {
    search.left -= 2;
    if (fits(entry, entry.seq - distance)) return entry.seq - distance;
    if (fits(entry, entry.seq + distance)) return entry.seq + distance;
  }
  return undefined;
}

function fits(entry: CheckedEntry, seq: number): boolean {
  return entryHash({ ...entry, seq }) === entry.entryHash;
}

function numberOf(walk: Walk, entry: CheckedEntry): number {
  return walk.writtenAs.get(entry) ?? entry.seq;
}

function reportChanged(walk: Walk, entries: CheckedEntry[]): void {
  for (const entry of entries) {
    if (!entry.textIntact)
      add(walk, entry, 'changed', `Record ${entry.recordId} (entry ${entry.seq}) was changed: its text does not have the digest it was stored with.`);
    else if (!walk.writtenAs.has(entry))
      add(walk, entry, 'changed', `Entry ${entry.seq} (record ${entry.recordId}) was changed: its fields do not have the hash they were stored with.`);
  }
}

function startOf(walk: Walk, entries: CheckedEntry[], head: LedgerHead | null): Citation {
  const last = entries.at(-1);
  const cited = head && walk.byHash.get(head.hash);
  if (cited && numberOf(walk, cited) !== head.count) {
    walk.problems.push(
      headProblem(`The head of the ledger was changed: it counts ${head.count} entries, but the one it names was written as entry ${numberOf(walk, cited)}.`),
    );
    return { hash: head.hash, recordId: cited.recordId, seq: numberOf(walk, cited) };
  }
  if (head) return { hash: head.hash, recordId: head.recordId, seq: head.count };
  walk.problems.push(headProblem('The head of the ledger was removed: whether entries are missing from the end cannot be told.'));
  return last ? { hash: last.entryHash, recordId: last.recordId, seq: numberOf(walk, last) } : { hash: GENESIS_HASH, recordId: '', seq: 0 };
}

function followBack(walk: Walk, entries: CheckedEntry[], start: Citation): void {
  const left = new Set(entries);
  let cited = start;
  while (cited.hash !== GENESIS_HASH && walk.problems.length < MAX_PROBLEMS) {
    const entry = vouchedEntry(walk, left, cited);
    if (!entry) return;
    left.delete(entry);
    walk.vouched.push(entry);
    cited = { hash: entry.previousHash, recordId: entry.previousRecordId, seq: numberOf(walk, entry) - 1 };
  }
  reportHole(walk, cited.seq, null, null);
}

function vouchedEntry(walk: Walk, left: Set<CheckedEntry>, cited: Citation): CheckedEntry | null {
  const exact = walk.byHash.get(cited.hash);
  if (!exact || !left.has(exact)) return rehashedEntry(walk, left, cited) ?? resume(walk, left, cited);
  // Somebody took entries out and linked what follows to what was before them: the numbers still show it.
  reportHole(walk, cited.seq, null, exact);
  return exact;
}

/** The entry of the cited record, when its hash was made anew after a change. */
function rehashedEntry(walk: Walk, left: Set<CheckedEntry>, cited: Citation): CheckedEntry | null {
  const sameRecord = walk.byRecord.get(cited.recordId);
  if (!sameRecord || !left.has(sameRecord)) return null;
  if (sameRecord.seq !== cited.seq) {
    walk.displaced.add(cited.seq);
    add(
      walk,
      sameRecord,
      'reordered',
      `Record ${sameRecord.recordId} stands as entry ${sameRecord.seq}; it was entry ${cited.seq}. Its hashes were made anew.`,
    );
  } else {
    add(
      walk,
      sameRecord,
      'changed',
      `Record ${sameRecord.recordId} (entry ${sameRecord.seq}) was changed and its hashes were made anew: what follows it still names the old one.`,
    );
  }
  return sameRecord;
}

/** The cited entry is gone: tells so, and goes on with the last entry before the hole. */
function resume(walk: Walk, left: Set<CheckedEntry>, cited: Citation): CheckedEntry | null {
  const before = [...left].filter((entry) => numberOf(walk, entry) < cited.seq).reduce<CheckedEntry | null>((best, entry) => later(walk, best, entry), null);
  reportHole(walk, cited.seq, cited.recordId, before);
  return before;
}

function later(walk: Walk, best: CheckedEntry | null, entry: CheckedEntry): CheckedEntry {
  return best && numberOf(walk, best) >= numberOf(walk, entry) ? best : entry;
}

/** Every number from `seq` down to the entry before the hole; only the record of the last one may be named by what follows. */
function reportHole(walk: Walk, seq: number, recordId: string | null, before: CheckedEntry | null): void {
  const end = Math.max(before ? numberOf(walk, before) : 0, seq - MAX_PROBLEMS);
  for (let missing = seq; missing > end; missing--) reportRemoved(walk, missing, missing === seq ? recordId : null, before);
}

function reportRemoved(walk: Walk, seq: number, recordId: string | null, before: CheckedEntry | null): void {
  const what = recordId ? `Record ${recordId} (entry ${seq})` : `Entry ${seq} (nothing that is left names its record)`;
  const place = before ? `after record ${before.recordId} (entry ${before.seq})` : 'at the beginning';
  walk.problems.push({ seq, recordId, kind: 'removed', message: `${what} was removed, ${place}.` });
}

function reportInserted(walk: Walk, entries: CheckedEntry[]): void {
  const vouched = new Set(walk.vouched);
  const told = new Set(walk.problems.map((problem) => problem.recordId));
  for (const entry of entries) {
    if (vouched.has(entry) || told.has(entry.recordId)) continue;
    if (walk.displaced.has(entry.seq)) {
      add(walk, entry, 'reordered', `Record ${entry.recordId} stands as entry ${entry.seq}, which was another record. Its hashes were made anew.`);
      continue;
    }
    const why = 'no later entry and not the head names it. It was inserted, or the head was put back.';
    add(walk, entry, 'inserted', `Record ${entry.recordId} (entry ${entry.seq}) does not belong to the chain: ${why}`);
  }
}

/** Removing or inserting shifts numbers but keeps the order; only entries that overtook another one are told. */
function reportReordered(walk: Walk): void {
  const chain = [...walk.vouched].reverse();
  const byNumber = [...chain].sort((a, b) => a.seq - b.seq);
  const told = new Set(walk.problems.map((problem) => problem.recordId));
  chain.forEach((entry, position) => {
    if (byNumber[position] === entry || told.has(entry.recordId)) return;
    add(walk, entry, 'reordered', `Record ${entry.recordId} stands as entry ${entry.seq}; it was written as entry ${numberOf(walk, entry)}.`);
  });
}

function add(walk: Walk, entry: CheckedEntry, kind: LedgerProblem['kind'], message: string): void {
  if (walk.problems.some((problem) => problem.kind === kind && problem.seq === entry.seq)) return;
  walk.problems.push({ seq: entry.seq, recordId: entry.recordId, kind, message });
}

function headProblem(message: string): LedgerProblem {
  return { seq: null, recordId: null, kind: 'head', message };
}
