/** The chain as an archive holds it: one canonical JSON object a line, from the first entry to the head. */
import { FormatError } from '../../errors.js';
import { canonicalJson, EMPTY_HEAD, entryHash, type LedgerEntry, type LedgerHead } from '../../ledger/index.js';

const MAX_LINE_BYTES = 16 * 1024;
const LINE_FEED = 10;
const HASHES = ['recordSha256', 'previousHash', 'entryHash'] as const;
const TEXTS = ['recordId', 'previousRecordId', 'appendedAt'] as const;

/** Reads and verifies the chain piece by piece; gives entries whose hashes are right and that follow each other. @throws FormatError */
export async function readChain(chunks: AsyncIterable<Buffer>, each: (chunk: Buffer) => void): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    each(chunk);
    let from = 0;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED, from)) {
      entries.push(next(rest.subarray(from, end).toString('utf8'), entries.at(-1) ?? null));
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > MAX_LINE_BYTES) throw wrong(entries.length + 1, 'its line is too long');
  }
  if (rest.length > 0) throw wrong(entries.length + 1, 'its line has no end');
  return entries;
}

export function headOf(entries: LedgerEntry[]): LedgerHead {
  const last = entries.at(-1);
  return last ? { count: last.seq, hash: last.entryHash, recordId: last.recordId } : EMPTY_HEAD;
}

function next(line: string, before: LedgerEntry | null): LedgerEntry {
  const seq = (before?.seq ?? 0) + 1;
  const entry = parsed(line, seq);
  if (entry.seq !== seq) throw wrong(seq, `another one (${entry.seq}) stands in its place`);
  if (entry.previousHash !== (before?.entryHash ?? EMPTY_HEAD.hash) || entry.previousRecordId !== (before?.recordId ?? ''))
    throw wrong(seq, 'it does not follow the one before it');
  if (entryHash(entry) !== entry.entryHash) throw wrong(seq, 'its fields do not have its hash');
  return entry;
}

function parsed(line: string, seq: number): LedgerEntry {
  try {
    const value = JSON.parse(line);
    const fits = HASHES.every((name) => /^[0-9a-f]{64}$/.test(value?.[name])) && TEXTS.every((name) => typeof value[name] === 'string');
    if (fits && canonicalJson(value) === line && Object.keys(value).length === 7) return value;
  } catch {
    // Told below.
  }
  throw wrong(seq, 'its line is not the canonical JSON of an entry');
}

function wrong(seq: number, why: string): FormatError {
  return new FormatError({ code: 'archive.chain', message: `the chain does not hold at entry ${seq}: ${why}` });
}
