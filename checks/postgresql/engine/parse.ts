/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import { findIn, type Marks, mostTelling, parseAnswer } from '../../../src/engines/answer.js';
import type { EngineUse } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
import { kindOf } from './server-log.js';

export interface EngineRun {
  engine: string;
  /** Exit code of `pg_ctl start`, null when it was not reached. Never judged alone. */
  startCode: number | null;
  startSeconds: number | null;
  /** Whether a session could be opened after the start. */
  answered: boolean;
  /** That accept sessions; and that do not, template0 apart. */
  databases: number | null;
  closedDatabases: number | null;
  stopCode: number | null;
  redoStart: string | null;
  redoEnd: string | null;
  /** Lines of the server's log up to the first session, without repetition, capped. */
  errors: string[];
  /** The same, from there to the end of the server. */
  lateErrors: string[];
  /** What `pg_ctl start` said. */
  startSaid: string[];
  amcheck: AmcheckRun | null;
  problem: string | null;
  /** Whose engine it was, where, and why that one; null in evidence of before there was a choice. */
  use: EngineUse | null;
  /** By the id of the question. */
  answers: Record<string, SqlAnswer>;
}

/** What pg_amcheck printed, notices left out. */
export interface AmcheckRun {
  code: number;
  seconds: number;
  /** Of all lines; `lines` may be fewer. */
  lineCount: number;
  lines: string[];
  closedDatabases: number;
  /** The server replayed log before. */
  recovered: boolean;
  /** Text may be ordered otherwise here than where the indexes were made: then a complaint about order is none about the data. */
  foreignOrder: boolean;
}

const REDO_START = /redo starts at ([0-9A-F]{1,8}\/[0-9A-F]{1,8})/;
const KEPT_SAID = 20;
const KEPT_LINES = 60;

/** Takes any text: what is not understood is left out. */
export function parseEngineRun(stdout: string, use: EngineUse | null = null): EngineRun {
  const { marks, lines } = parseAnswer(stdout, ['log', 'late', 'start', 'amcheck']);
  const redoStart = findIn(lines.log, REDO_START);
  return {
    engine: marks.text('version') ?? 'unknown',
    startCode: marks.integer('started'),
    startSeconds: marks.seconds('start-ns'),
    answered: marks.has('role'),
    databases: marks.integer('databases'),
    closedDatabases: marks.integer('closed'),
    stopCode: marks.integer('stopped'),
    redoStart,
    redoEnd: findIn(lines.log, /redo done at ([0-9A-F]{1,8}\/[0-9A-F]{1,8})/),
    errors: errorsOf(lines.log),
    lateErrors: errorsOf(lines.late),
    startSaid: lines.start.slice(0, KEPT_SAID),
    amcheck: amcheckOf(marks, lines.amcheck, {
      recovered: redoStart !== null,
      foreignOrder: use?.engine === 'host' && marks.integer('collations') !== 0,
    }),
    problem: marks.text('problem'),
    use,
    answers: {},
  };
}

/** What says nothing of the data is dropped before the cap, so that it cannot push out what does. */
function errorsOf(lines: string[]): string[] {
  return mostTelling(lines, kindOf, ['damage', 'place', 'other']);
}

function amcheckOf(marks: Marks, lines: string[], more: Pick<AmcheckRun, 'recovered' | 'foreignOrder'>): AmcheckRun | null {
  const code = marks.integer('amcheck');
  if (code === null) return null;
  return {
    code,
    seconds: marks.seconds('amcheck-ns') ?? 0,
    lineCount: marks.integer('amcheck-lines') ?? lines.length,
    lines: lines.slice(0, KEPT_LINES),
    closedDatabases: marks.integer('closed') ?? 0,
    ...more,
  };
}
