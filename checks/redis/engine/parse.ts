/** What the engine's script printed, as plain facts. Program output is text of the guest: it is only searched, never obeyed. */
import { findIn, mostTelling, parseAnswer } from '../../../src/engines/answer.js';
import type { EngineUse } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
import { kindOf } from './server-log.js';
import type { ToLoad } from './what-to-load.js';

export interface EngineRun {
  engine: string;
  load: ToLoad;
  /** The settings ask for something that is not there. */
  warning: string | null;
  /** Whether it answered a client after it had loaded everything. */
  up: boolean;
  startSeconds: number | null;
  /** By the server's own clock. */
  loadSeconds: number | null;
  slow: boolean;
  stopped: boolean;
  exitCode: number | null;
  /** With keys in them; `keys` are those of the first hundred. */
  databases: number;
  keys: { database: number; keys: number; expiring: number }[];
  /** Of the RDB part; null where there is none. Keys whose time was up are not brought back. */
  expired: number | null;
  /** Of the append-only file, all parts. */
  logBytes: number;
  /** Lines of the log, noise left out, capped. */
  errors: string[];
  lateErrors: string[];
  tool: ToolRun | null;
  problem: string | null;
  use: EngineUse | null;
  /** By the id of the question; absent in evidence of before there were any. */
  answers?: Record<string, SqlAnswer>;
}

/** redis-check-rdb or redis-check-aof. `says` by its text, never by its exit code. */
export interface ToolRun {
  name: string;
  says: 'sound' | 'complains' | 'nothing';
  lines: string[];
}

const MOST_KEYSPACES = 100;
const SOUND = /RDB looks OK|^All AOF files and manifest are valid|^(The )?AOF (is|[^ ]+ is) valid/i;
const COMPLAINS = /ERROR DETECTED|not valid|not sane|invalid|Unexpected|Reached EOF|Expected|cannot|can.t|fatal/i;

/** Takes any text: what is not understood is left out. */
export function parseEngineRun(
  stdout: string,
  load: ToLoad,
  more: { use: EngineUse | null; warning: string | null } = { use: null, warning: null },
): EngineRun {
  const { marks, lines } = parseAnswer(stdout, ['log', 'late', 'keys', 'info', 'tool']);
  const expired = findIn(lines.log, /keys expired: (\d{1,15})\b/);
  return {
    ...{ engine: marks.text('version') ?? 'unknown', load, warning: more.warning },
    up: marks.has('up'),
    startSeconds: marks.seconds('start-ns'),
    loadSeconds: loadSecondsOf(lines.log),
    slow: marks.has('slow'),
    stopped: marks.has('stopped'),
    exitCode: marks.integer('exit'),
    databases: marks.integer('databases') ?? 0,
    keys: lines.keys.slice(0, MOST_KEYSPACES).flatMap(keyspaceOf),
    expired: expired === null ? null : Number(expired),
    logBytes: Number(findIn(lines.info, /^aof_current_size:(\d{1,15})$/) ?? 0),
    errors: errorsOf(lines.log),
    lateErrors: errorsOf(lines.late),
    tool: toolOf(marks.text('tool'), lines.tool),
    problem: marks.text('problem'),
    use: more.use,
  };
}

/** `db0:keys=601,expires=300,avg_ttl=9999386` */
function keyspaceOf(line: string): EngineRun['keys'] {
  const [, database, keys, expiring] = /^db(\d{1,9}):keys=(\d{1,15}),expires=(\d{1,15})/.exec(line) ?? [];
  return keys === undefined ? [] : [{ database: Number(database), keys: Number(keys), expiring: Number(expiring) }];
}

/** `DB loaded from disk: 0.012 seconds`, `DB loaded from append only file: 1.203 seconds` */
function loadSecondsOf(lines: string[]): number | null {
  const seconds = findIn(lines, /loaded from (?:disk|append only file): (\d{1,9}\.\d{1,6}) seconds/);
  return seconds === null ? null : Number(seconds);
}

/** What tells of the data comes first, so that nothing else can push it out. */
function errorsOf(lines: string[]): string[] {
  return mostTelling(lines, kindOf, ['damage', 'refused', 'tail', 'place', 'other']);
}

function toolOf(kind: string | null, lines: string[]): ToolRun | null {
  if (kind !== 'rdb' && kind !== 'aof') return null;
  const complaints = lines.filter((line) => COMPLAINS.test(line) && !SOUND.test(line));
  const says = complaints.length > 0 ? 'complains' : lines.some((line) => SOUND.test(line)) ? 'sound' : 'nothing';
  return { name: `redis-check-${kind}`, says, lines: (complaints.length > 0 ? complaints : lines).slice(-5) };
}
