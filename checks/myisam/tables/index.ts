import { posix } from 'node:path';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import { type CheckTarget, defineStaticCheck } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { DatabaseInstance, Finding, GuestFiles, Judgement, Severity, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { type MyisamState, parseState, STATE_BYTES } from '../format.js';

export interface MyisamEvidence {
  tables: number;
  rows: number;
  open: Counted<string>;
  crashed: Counted<string>;
  damaged: Counted<{ file: string; why: string }>;
}

interface Counted<T> {
  count: number;
  examples: T[];
}

const MAX_EXAMPLES = 20;

export default defineStaticCheck<MyisamEvidence>({
  id: 'myisam/tables',
  title: 'MyISAM tables have both files, of at least the size their header says',
  failureTitle: 'MyISAM tables are damaged or incomplete',
  description:
    'Reads the header of every MyISAM table beside InnoDB. The format has no checksums and no log: what was being written when the backup was taken is lost, and cannot be seen.',
  timeoutMs: 3_600_000,
  skipReason: notMyisam,
  collect: (instance, context) => readMyisam(instance, context.labs.files, context.signal),
  evaluate: evaluateMyisam,
});

function notMyisam(target: CheckTarget): string | null {
  if (target.kind !== 'instance' || target.instance.engine !== 'innodb') return 'it is no data directory of MariaDB or MySQL';
  const engines = String(target.instance.facts.otherEngines ?? '').split(', ');
  return engines.includes('MyISAM') ? null : 'it holds no MyISAM tables';
}

export async function readMyisam(instance: DatabaseInstance, files: GuestFiles, signal: AbortSignal): Promise<MyisamEvidence> {
  const entries = await files.list(instance.location, { recursive: true });
  const sizes = new Map(entries.filter((entry) => entry.type === 'file').map((entry) => [entry.location.path, entry.sizeBytes]));
  const indexes = entries.filter(
    (entry) => entry.type === 'file' && entry.location.path.endsWith('.MYI') && !posix.basename(entry.location.path).startsWith('#sql'),
  );
  await files.map(indexes.map((entry) => entry.location)); // one question instead of one per file
  const evidence: MyisamEvidence = { tables: 0, rows: 0, open: counted(), crashed: counted(), damaged: counted() };
  for (const { location } of indexes) {
    signal.throwIfAborted();
    const head = await readGuestFile(files, location, STATE_BYTES);
    judge(evidence, location.path, head, sizes);
  }
  for (const path of sizes.keys()) {
    if (path.endsWith('.MYD') && !sizes.has(`${path.slice(0, -1)}I`)) keep(evidence.damaged, { file: `${path.slice(0, -1)}I`, why: 'the file is missing' });
  }
  return evidence;
}

function judge(evidence: MyisamEvidence, path: string, head: Buffer | null, sizes: Map<string, number>): void {
  const state = stateOf(head);
  evidence.tables++;
  if (typeof state === 'string') {
    keep(evidence.damaged, { file: path, why: state });
    return;
  }
  evidence.rows += state.rows;
  if (state.crashed) keep(evidence.crashed, path);
  if (state.openCount > 0) keep(evidence.open, path);
  const dataPath = `${path.slice(0, -1)}D`;
  const wrong = tooShort(dataPath, sizes, state.dataBytes) ?? tooShort(path, sizes, state.indexBytes);
  if (wrong) keep(evidence.damaged, wrong);
}

function tooShort(file: string, sizes: Map<string, number>, leastBytes: number): { file: string; why: string } | null {
  const bytes = sizes.get(file);
  if (bytes === undefined) return { file, why: 'the file is missing' };
  return bytes < leastBytes ? { file, why: `it has ${bytes} of ${leastBytes} bytes` } : null;
}

function stateOf(head: Buffer | null): MyisamState | string {
  if (!head) return 'it could not be read';
  try {
    return parseState(head);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.message;
  }
}

function counted<T>(): Counted<T> {
  return { count: 0, examples: [] };
}

function keep<T>(into: Counted<T>, example: T): void {
  into.count++;
  if (into.examples.length < MAX_EXAMPLES) into.examples.push(example);
}

export function evaluateMyisam(evidence: MyisamEvidence): Judgement {
  const { tables, rows, open, crashed, damaged } = evidence;
  const findings: Finding[] = [
    ...damaged.examples.map(({ file, why }) => finding('table.damaged', 'critical', `${file}: ${why}.`, { file, tables: damaged.count })),
    ...crashed.examples.map((file) =>
      finding('table.crashed', 'critical', `${file} was marked as crashed by the server itself.`, { file, tables: crashed.count }),
    ),
  ];
  const worst = findings[0];
  if (open.count > 0) {
    const message = `${open.count} MyISAM tables were open: the server will check or repair them, and what was being written is lost.`;
    findings.push(finding('table.open', 'warning', message, { tables: open.count, first: open.examples[0] ?? '' }));
  }
  const untested = untestedParts(evidence);
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `${tables} MyISAM tables with ${rows} rows have both files, of the size they must have.`,
    findings,
    ...(worst ? { advice: 'Take an earlier restore point, or repair the tables with myisamchk on a copy.' } : {}),
    instanceState: worst ? 'damaged' : untested.some((item) => item.holdsData) ? 'unknown' : 'clean',
    tested: [{ what: 'MyISAM tables', how: `header and sizes of ${count(tables, 'table')}` }],
    untested,
  };
}

/** A table that was closed is as it was written; one that was open may lack updates that nothing shows. */
function untestedParts({ tables, open }: MyisamEvidence): UntestedItem[] {
  const items: UntestedItem[] = [];
  if (open.count > 0) {
    const why = 'they were open when the backup was taken, and the format has no log and no checksum that would show what is missing';
    items.push({ what: `lost updates in ${open.count} MyISAM tables (${open.examples[0]})`, why, holdsData: true });
  }
  if (tables > open.count) items.push({ what: 'bit rot in MyISAM tables', why: 'the format has no checksums', holdsData: false });
  return items;
}

function finding(code: string, severity: Severity, message: string, where: Finding['where']): Finding {
  return { code: `myisam.${code}`, severity, message, where };
}
