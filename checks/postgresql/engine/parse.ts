/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import type { EngineUse } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
import { MARK } from './script.js';
import { kindOf, type LineKind } from './server-log.js';

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
const KEPT_ERRORS = 20;
const KEPT_LINES = 60;
const LINE_CHARACTERS = 400;
const MARK_LINE = new RegExp(`^${MARK} ([a-z-]+) ?(.*)$`);

interface Sorted {
  marks: Map<string, string>;
  log: string[];
  late: string[];
  start: string[];
  amcheck: string[];
}

/** Takes any text: what is not understood is left out. */
export function parseEngineRun(stdout: string, use: EngineUse | null = null): EngineRun {
  const { marks, log, late, start, amcheck } = sorted(stdout);
  return {
    engine: marks.get('version')?.slice(0, LINE_CHARACTERS) ?? 'unknown',
    startCode: integer(marks.get('started')),
    startSeconds: seconds(marks.get('start-ns')),
    answered: marks.has('role'),
    databases: integer(marks.get('databases')),
    closedDatabases: integer(marks.get('closed')),
    stopCode: integer(marks.get('stopped')),
    redoStart: find(log, REDO_START),
    redoEnd: find(log, /redo done at ([0-9A-F]{1,8}\/[0-9A-F]{1,8})/),
    errors: errorsOf(log),
    lateErrors: errorsOf(late),
    startSaid: start.slice(0, KEPT_ERRORS),
    amcheck: amcheckOf(marks, amcheck, {
      recovered: find(log, REDO_START) !== null,
      foreignOrder: use?.engine === 'host' && integer(marks.get('collations')) !== 0,
    }),
    problem: marks.get('problem')?.slice(0, LINE_CHARACTERS) ?? null,
    use,
    answers: {},
  };
}

function sorted(stdout: string): Sorted {
  const found: Sorted = { marks: new Map(), log: [], late: [], start: [], amcheck: [] };
  for (const line of stdout.split('\n')) {
    const [, name, value] = MARK_LINE.exec(line) ?? [];
    // The first mark counts: a guest's program cannot print one later and be believed.
    if (name !== undefined && value !== undefined && !found.marks.has(name)) found.marks.set(name, value);
    const [, kind, text] = /^(log|late|start|amcheck): (.*)$/.exec(line) ?? [];
    if (text !== undefined) found[kind as 'log' | 'late' | 'start' | 'amcheck'].push(text.slice(0, LINE_CHARACTERS));
  }
  return found;
}

/** What says nothing of the data is dropped before the cap, so that it cannot push out what does. */
function errorsOf(lines: string[]): string[] {
  const kinds = (kind: LineKind) => lines.filter((line) => kindOf(line) === kind);
  return [...new Set([...kinds('damage'), ...kinds('place'), ...kinds('other')])].slice(0, KEPT_ERRORS);
}

function amcheckOf(marks: Map<string, string>, lines: string[], more: Pick<AmcheckRun, 'recovered' | 'foreignOrder'>): AmcheckRun | null {
  const code = integer(marks.get('amcheck'));
  if (code === null) return null;
  return {
    code,
    seconds: seconds(marks.get('amcheck-ns')) ?? 0,
    lineCount: integer(marks.get('amcheck-lines')) ?? lines.length,
    lines: lines.slice(0, KEPT_LINES),
    closedDatabases: integer(marks.get('closed')) ?? 0,
    ...more,
  };
}

/** Fifteen digits at most: more are no figure of this script, and no exact number either. */
function integer(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function seconds(nanoseconds: string | undefined): number | null {
  const value = integer(nanoseconds);
  return value === null ? null : value / 1e9;
}

function find(lines: string[], pattern: RegExp): string | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match?.[1]) return match[1];
  }
  return null;
}
