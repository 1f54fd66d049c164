/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import { findIn, type Marks, mostTelling, parseAnswer } from '../../../src/engines/answer.js';
import type { EngineUse } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
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
  /** By the id of the question; absent in evidence of before there were any. */
  answers?: Record<string, SqlAnswer>;
}

export interface TableCheck {
  seconds: number;
  timedOut: boolean;
  /** Of all schemas; null when they could not be counted. */
  tables: number | null;
  /** Answered with status OK. */
  sound: number;
  /** Tables that answered with an error or another status; absent in evidence of before they were counted. */
  complained?: number | null;
  /** Tables of engines that cannot be checked; absent where they were not counted. */
  unsupported?: number | null;
  /** Every other line, capped, those of complaining tables first: table, message type, text. */
  lines: { table: string; type: string; text: string }[];
  /** What the client said, such as a lost connection. */
  clientSaid: string[];
}

const KEPT_SAID = 20;
const KEPT_LINES = 600;
/** `load_test.t	check	error	Corrupt`: tabs and line feeds of names are escaped by the client. */
const CHECK_LINE = /^([^\t]*)\t[^\t]*\t([^\t]*)\t(.*)$/;

/** Takes any text: what is not understood is left out. */
export function parseEngineRun(stdout: string, use: EngineUse | null = null): EngineRun {
  const { marks, lines } = parseAnswer(stdout, ['log', 'late', 'check', 'client']);
  const from = findIn(lines.log, /Starting crash recovery from checkpoint LSN=(\d{1,20})/);
  return {
    engine: marks.text('version') ?? 'unknown',
    up: marks.has('up'),
    startSeconds: marks.seconds('start-ns'),
    slow: marks.has('slow'),
    stopped: marks.has('stopped'),
    prepared: marks.has('prepared'),
    recovery: from === null ? null : { from, to: findIn(lines.log, /End of log at LSN=(\d{1,20})/) },
    errors: errorsOf(lines.log),
    lateErrors: errorsOf(lines.late),
    check: checkOf(marks, lines.check, lines.client),
    problem: marks.text('problem'),
    use,
  };
}

/** What tells of the data comes first, so that nothing else can push it out. */
function errorsOf(lines: string[]): string[] {
  return mostTelling(lines, kindOf, ['skew', 'damage', 'place', 'other']);
}

function checkOf(marks: Marks, lines: string[], clientSaid: string[]): TableCheck | null {
  const code = marks.integer('check');
  if (code === null) return null;
  const parsed = lines.flatMap((line) => {
    const [, table, type, text] = CHECK_LINE.exec(line) ?? [];
    return table === undefined || type === undefined || text === undefined ? [] : [{ table, type: type.toLowerCase(), text }];
  });
  return {
    seconds: marks.seconds('check-ns') ?? 0,
    timedOut: code === 124,
    tables: marks.integer('tables'),
    sound: marks.integer('sound') ?? 0,
    complained: marks.integer('complained'),
    unsupported: marks.integer('unsupported'),
    lines: parsed.slice(0, KEPT_LINES),
    clientSaid: clientSaid.slice(0, KEPT_SAID),
  };
}
