/** `snapproof history`: what was verified, when, and with which verdict. Only reads the ledger. */
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { type HistoryFilter, type HistoryItem, ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { palette, verdictStyle, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { table } from '../reporters/text.js';
import { count, formatInstant } from '../reporters/units.js';
import type { VerdictWord } from '../types.js';
import { documentsCommand, mostOf } from './history-documents.js';
import { print, type Streams } from './streams.js';

export interface HistoryArguments {
  state?: string | undefined;
  machine?: string | undefined;
  verdict?: string | undefined;
  /** Newest so many; default 20 for people, all for --json. */
  limit?: number | undefined;
  /** Other documents than records: drill, sign-off, key, timestamp, or all. */
  kind?: string | undefined;
  json?: boolean | undefined;
}

const VERDICTS: VerdictWord[] = ['passed', 'failed', 'inconclusive'];

/** @throws UsageError for a wrong filter, LedgerError when the ledger cannot be read. */
export async function historyCommand(options: HistoryArguments, streams: Streams): Promise<ExitCode> {
  if (options.kind !== undefined && options.kind !== 'record') return documentsCommand({ ...options, kind: options.kind }, streams);
  const filter = toFilter(options);
  const folder = stateFolder(options.state);
  const items = readHistory(folder, filter);
  if (options.json) await writeDocument({ schema: 'snapproof.history/v1', ledger: ledgerPath(folder), entries: items ?? [] }, streams.stdout);
  else if (items === null) await print(streams.stderr, `There is no ledger ${visible(ledgerPath(folder))} yet: nothing was verified with this state folder.\n`);
  else if (items.length === 0) await print(streams.stderr, 'No record in the ledger fits.\n');
  else await print(streams.stdout, renderHistory(items, wantsColour(streams.stdout)));
  return EXIT.passed;
}

function readHistory(folder: string, filter: HistoryFilter): HistoryItem[] | null {
  const ledger = readLedger(folder);
  if (!ledger) return null;
  try {
    return ledger.history(filter);
  } finally {
    ledger.close();
  }
}

function toFilter({ machine, verdict, limit, json }: HistoryArguments): HistoryFilter {
  const filter: HistoryFilter = {};
  if (machine !== undefined) filter.machine = machine;
  if (verdict !== undefined) filter.verdict = toVerdict(verdict);
  const most = mostOf({ limit, json });
  return most === undefined ? filter : { ...filter, limit: most };
}

function toVerdict(word: string): VerdictWord {
  const known = VERDICTS.find((verdict) => verdict === word);
  if (known) return known;
  throw new UsageError({ code: 'usage.verdict', message: `--verdict knows passed, failed and inconclusive, not "${visible(word)}".` });
}

function renderHistory(items: HistoryItem[], colour: boolean): string {
  const paint = palette(colour);
  const header = ['ENTRY', 'VERDICT', 'CONSISTENCY', 'TESTED', 'MACHINE', 'RESTORE POINT'];
  const lines = table([header, ...items.map(toRow)], [0]);
  const coloured = items.map(({ record: { verdict } }, index) => (lines[index + 1] ?? '').replace(verdict, verdictStyle(paint, verdict)(verdict)));
  return `${[lines[0], ...coloured].join('\n')}\n${count(items.length, 'record')}, the newest first.\n`;
}

function toRow({ seq, record }: HistoryItem): string[] {
  const { machine, id } = record.restorePoint;
  return [String(seq), visible(record.verdict), visible(record.consistency.observed), formatInstant(visible(record.startedAt)), visible(machine), visible(id)];
}
