/** `snapproof history --kind`: drills, sign-offs, keys and time stamps of the ledger, or everything in it. Only reads. */
import type { LedgerDocument } from '../documents.js';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { DOCUMENT_KINDS, type DocumentKind, type DocumentOf, kindOf, ledgerPath, readLedger, type Stored, stateFolder } from '../ledger/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { table } from '../reporters/text.js';
import { count, formatInstant } from '../reporters/units.js';
import { print, type Streams } from './streams.js';

export interface DocumentsArguments {
  kind: string;
  state?: string | undefined;
  machine?: string | undefined;
  verdict?: string | undefined;
  limit?: number | undefined;
  json?: boolean | undefined;
}

const DEFAULT_LIMIT = 20;
const LONGEST_CELL = 80;

/** @throws UsageError for a wrong filter, LedgerError when the ledger cannot be read. */
export async function documentsCommand(options: DocumentsArguments, streams: Streams): Promise<ExitCode> {
  if (options.machine !== undefined || options.verdict !== undefined)
    throw new UsageError({ code: 'usage.kind', message: '--machine and --verdict choose among records; leave them or --kind out.' });
  const folder = stateFolder(options.state);
  const found = read(folder, toKind(options.kind), mostOf(options));
  const entries = found.map(({ entry, document }) => ({ seq: entry.seq, appendedAt: entry.appendedAt, document }));
  if (options.json) await writeDocument({ schema: 'snapproof.history/v1', ledger: ledgerPath(folder), entries }, streams.stdout);
  else if (found.length === 0) await print(streams.stderr, 'No document in the ledger fits.\n');
  else await print(streams.stdout, render(found));
  return EXIT.passed;
}

/** Newest so many; default 20 for people, all (undefined) for --json. @throws UsageError */
export function mostOf({ limit, json }: { limit?: number | undefined; json?: boolean | undefined }): number | undefined {
  const most = limit ?? (json ? undefined : DEFAULT_LIMIT);
  if (most === undefined || (Number.isSafeInteger(most) && most >= 1)) return most;
  throw new UsageError({ code: 'usage.limit', message: '--limit needs a whole number from 1.' });
}

/** Undefined: all. */
function toKind(word: string): DocumentKind | undefined {
  const known = DOCUMENT_KINDS.find((kind) => kind === word);
  if (known || word === 'all') return known;
  throw new UsageError({ code: 'usage.kind', message: `--kind knows all, ${DOCUMENT_KINDS.join(', ')}; not "${visible(word)}".` });
}

function read(folder: string, kind: DocumentKind | undefined, limit: number | undefined): Stored[] {
  const ledger = readLedger(folder);
  if (!ledger) return [];
  try {
    return ledger.documents({ ...(kind === undefined ? {} : { kind }), ...(limit === undefined ? {} : { limit }) });
  } finally {
    ledger.close();
  }
}

function render(found: Stored[]): string {
  const rows = found.map(({ entry, document }) => [String(entry.seq), formatInstant(entry.appendedAt), ...describe(document).map((text) => cell(text))]);
  return `${table([['ENTRY', 'STORED', 'KIND', 'ID', 'WHAT'], ...rows], [0]).join('\n')}\n${count(found.length, 'document')}, the newest first.\n`;
}

function cell(text: string): string {
  const shown = visible(text);
  return shown.length > LONGEST_CELL ? `${shown.slice(0, LONGEST_CELL - 3)}...` : shown;
}

function describe(document: LedgerDocument): string[] {
  const kind = kindOf(document);
  return [kind ?? document.schema, document.id, kind === null ? '' : WORDS[kind](document as never)];
}

/** What a document says, in one line. */
const WORDS: { [K in DocumentKind]: (document: DocumentOf[K]) => string } = {
  record: ({ verdict, restorePoint }) => `${verdict}: ${restorePoint.machine} ${restorePoint.id}`,
  drill: ({ verdict, name, items }) => `${verdict}: ${name}, ${count(items.length, 'restore point')}`,
  'sign-off': ({ decision, about, reviewer, note, ticket }) => `${decision} ${about} by ${reviewer}${ticket ? ` (${ticket})` : ''}: ${note}`,
  key: ({ event, keyId, reason }) => `${event} ${keyId.slice(0, 16)}: ${reason}`,
  timestamp: ({ headSeq, genTime, authority }) => `entry ${headSeq} at ${genTime}, by ${authority}`,
};
