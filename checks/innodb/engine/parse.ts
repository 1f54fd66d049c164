/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import type { EngineUse } from '../../../src/labs/lab.js';
import { MARK } from './script.js';
import { kindOf } from './server-log.js';

export interface EngineRun {
  engine: string;
  /** Whether it answered a client after the start. Its exit code is never judged. */
  up: boolean;
  startSeconds: number | null;
  slow: boolean;
  stopped: boolean;
  /** Prepared transactions were rolled back: the binary log, which knows their fate, was kept away. */
  prepared: boolean;
  /** Of the log that was replayed. */
  recovery: { from: string; to: string | null } | null;
  /** Lines of the server's log up to the first answer, and from there on; noise left out, capped. */
  errors: string[];
  lateErrors: string[];
  check: TableCheck | null;
  problem: string | null;
  use: EngineUse | null;
}

export interface TableCheck {
  seconds: number;
  timedOut: boolean;
  /** Of all schemas; null when they could not be counted. */
  tables: number | null;
  /** Answered with status OK. */
  sound: number;
  /** Every other line, capped: table, message type, text. */
  lines: { table: string; type: string; text: string }[];
  /** What the client said, such as a lost connection. */
  clientSaid: string[];
}

const KEPT_ERRORS = 20;
const LINE_CHARACTERS = 400;
const KEPT_LINES = 300;
const MARK_LINE = new RegExp(`^${MARK} ([a-z-]+) ?(.*)$`);
/** `load_test.t	check	error	Corrupt`: tabs and line feeds of names are escaped by the client. */
const CHECK_LINE = /^([^\t]*)\t[^\t]*\t([^\t]*)\t(.*)$/;

/** Takes any text: what is not understood is left out. */
export function parseEngineRun(stdout: string, use: EngineUse | null = null): EngineRun {
  const marks = new Map<string, string>();
  const texts: Record<string, string[]> = { log: [], late: [], check: [], client: [] };
  for (const line of stdout.split('\n')) {
    const [, name, value] = MARK_LINE.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !marks.has(name)) marks.set(name, value);
    const [, kind, text] = /^(log|late|check|client): (.*)$/.exec(line) ?? [];
    if (kind !== undefined && text !== undefined) texts[kind]?.push(text.slice(0, LINE_CHARACTERS));
  }
  const { log = [], late = [], check = [], client = [] } = texts;
  const from = find(log, /Starting crash recovery from checkpoint LSN=(\d{1,20})/);
  return {
    engine: marks.get('version')?.slice(0, LINE_CHARACTERS) ?? 'unknown',
    up: marks.has('up'),
    startSeconds: seconds(marks.get('start-ns')),
    slow: marks.has('slow'),
    stopped: marks.has('stopped'),
    prepared: marks.has('prepared'),
    recovery: from === null ? null : { from, to: find(log, /End of log at LSN=(\d{1,20})/) },
    errors: errorsOf(log),
    lateErrors: errorsOf(late),
    check: checkOf(marks, check, client),
    problem: marks.get('problem')?.slice(0, LINE_CHARACTERS) ?? null,
    use,
  };
}

/** What tells of the data comes first, so that nothing else can push it out. */
function errorsOf(lines: string[]): string[] {
  const of = (kind: string) => lines.filter((line) => kindOf(line) === kind);
  return [...new Set([...of('skew'), ...of('damage'), ...of('place'), ...of('other')])].slice(0, KEPT_ERRORS);
}

function checkOf(marks: Map<string, string>, lines: string[], clientSaid: string[]): TableCheck | null {
  const code = integer(marks.get('check'));
  if (code === null) return null;
  const parsed = lines.flatMap((line) => {
    const [, table, type, text] = CHECK_LINE.exec(line) ?? [];
    return table === undefined || type === undefined || text === undefined ? [] : [{ table, type: type.toLowerCase(), text }];
  });
  const tables = integer(marks.get('tables'));
  const sound = integer(marks.get('sound')) ?? 0;
  return {
    seconds: seconds(marks.get('check-ns')) ?? 0,
    timedOut: code === 124,
    tables,
    sound,
    lines: parsed.slice(0, KEPT_LINES),
    clientSaid: clientSaid.slice(0, KEPT_ERRORS),
  };
}

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
