/** What sqlite3 answered, and what it means. Pure; judged by the text, for its exit code is 0 on damage. */
import type { CoverageItem, Finding, Judgement, UntestedItem } from '../../../src/types.js';

export interface IntegrityEvidence {
  path: string;
  volume: string;
  /** Of the database with its log. */
  sizeBytes: number;
  /** Of the write-ahead log alone. */
  walBytes: number;
  readable: boolean;
  /** Null: it was not run, because the database is too large or cannot be read. */
  ran: {
    pragma: 'integrity_check' | 'quick_check';
    /** What the host's SQLite lacks; only then is it a quick_check. */
    foreign: string | null;
    answer: string[];
    errors: string[];
    foreignKeyViolations: number | null;
    durationMs: number;
  } | null;
}

const ADVICE = 'Take the database from an earlier restore point that passed, or save what can be read with "sqlite3 FILE .recover".';

export function judge(evidence: IntegrityEvidence): Judgement {
  const { ran, path } = evidence;
  if (!ran) return notRun(evidence);
  const intact = ran.answer.length === 1 && ran.answer[0] === 'ok' && ran.errors.length === 0;
  const tested: CoverageItem[] = [
    { what: `SQLite database ${path}`, how: `recovered and examined by sqlite3 with ${ran.pragma} in ${Math.round(ran.durationMs)} ms` },
  ];
  const untested: UntestedItem[] = ran.foreign
    ? [{ what: `order of the indexes of ${path}`, why: `the host's SQLite has not what the guest's has: ${ran.foreign}`, holdsData: false }]
    : [];
  const instanceState = evidence.walBytes > 32 ? 'recoverable' : 'clean'; // a log of its header alone holds nothing
  if (intact)
    return {
      outcome: 'pass',
      summary: `SQLite opened ${path} and found it intact.`,
      findings: keyFindings(evidence),
      instanceState,
      tested,
      untested,
    };
  const findings = [...ran.answer, ...ran.errors].map((line) => complaint(evidence, line));
  const first = ran.answer[0] ?? ran.errors[0];
  const summary = first === undefined ? `SQLite gave no answer about ${path}: it cannot be opened.` : `SQLite finds ${path} damaged: ${first}`;
  return { outcome: 'fail', summary, findings, advice: ADVICE, consistency: { level: 'none', why: summary }, instanceState: 'damaged', tested, untested };
}

function notRun({ path, sizeBytes, readable }: IntegrityEvidence): Judgement {
  const why = readable ? `it has ${sizeBytes} bytes, more than the option maxBytes allows to copy` : 'its file could not be read';
  const untested = [{ what: `SQLite's own integrity check of ${path}`, why, holdsData: true }];
  return {
    outcome: 'pass',
    summary: `SQLite's own integrity check of ${path} was not run: ${why}.`,
    findings: [],
    instanceState: 'unknown',
    tested: [],
    untested,
  };
}

function complaint({ path, volume }: IntegrityEvidence, line: string): Finding {
  return { code: 'sqlite.integrity', severity: 'critical', message: `SQLite says of ${path}: ${line}`, where: { volume, file: path } };
}

/** SQLite does not enforce foreign keys unless asked, so violations are the application's habit, not damage. */
function keyFindings({ path, volume, ran }: IntegrityEvidence): Finding[] {
  const count = ran?.foreignKeyViolations ?? 0;
  if (count === 0) return [];
  return [
    { code: 'sqlite.foreign-keys', severity: 'info', message: `${count} rows of ${path} refer to rows that do not exist.`, where: { volume, file: path } },
  ];
}
