/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import { MARK } from './script.js';

export interface EngineRun {
  engine: string;
  /** Exit code of `pg_ctl start`, null when it was not reached. Never judged alone. */
  startCode: number | null;
  startSeconds: number | null;
  /** Whether a session could be opened after the start. */
  answered: boolean;
  databases: number | null;
  stopCode: number | null;
  redoStart: string | null;
  redoEnd: string | null;
  /** Lines of the server log at level FATAL, PANIC or ERROR, capped. */
  errors: string[];
  amcheck: { code: number; seconds: number; lineCount: number; lines: string[] } | null;
  problem: string | null;
}

const KEPT_LINES = 20;

export function parseEngineRun(stdout: string): EngineRun {
  const marks = new Map<string, string>();
  const log: string[] = [];
  const amcheckLines: string[] = [];
  for (const line of stdout.split('\n')) {
    const mark = new RegExp(`^${MARK} ([a-z-]+) ?(.*)$`).exec(line);
    // The first mark counts: a guest's program cannot print one later and be believed.
    if (mark && !marks.has(mark[1] as string)) marks.set(mark[1] as string, mark[2] as string);
    else if (line.startsWith('log: ')) log.push(line.slice(5));
    else if (line.startsWith('amcheck: ')) amcheckLines.push(line.slice(9));
  }
  return {
    engine: marks.get('version') ?? 'unknown',
    startCode: integer(marks.get('started')),
    startSeconds: seconds(marks.get('start-ns')),
    answered: marks.has('role'),
    databases: integer(marks.get('databases')),
    stopCode: integer(marks.get('stopped')),
    redoStart: find(log, /redo starts at ([0-9A-F]+\/[0-9A-F]+)/),
    redoEnd: find(log, /redo done at ([0-9A-F]+\/[0-9A-F]+)/),
    errors: [...new Set(log.filter((line) => /\b(FATAL|PANIC|ERROR):/.test(line)))].slice(0, KEPT_LINES),
    amcheck: amcheckOf(marks, amcheckLines),
    problem: marks.get('problem') ?? null,
  };
}

function amcheckOf(marks: Map<string, string>, lines: string[]): EngineRun['amcheck'] {
  const code = integer(marks.get('amcheck'));
  if (code === null) return null;
  return {
    code,
    seconds: seconds(marks.get('amcheck-ns')) ?? 0,
    lineCount: integer(marks.get('amcheck-lines')) ?? lines.length,
    lines: lines.slice(0, KEPT_LINES),
  };
}

function integer(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

function seconds(nanoseconds: string | undefined): number | null {
  const value = integer(nanoseconds);
  return value === null ? null : value / 1e9;
}

function find(lines: string[], pattern: RegExp): string | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match) return match[1] as string;
  }
  return null;
}
