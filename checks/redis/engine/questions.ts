/**
 * How the client of Redis and Valkey is asked, and how its answer reads: as it shows values to people (`--no-raw`), where every text stands
 * in quotes with all else escaped, so that no value can pass for another. https://redis.io/docs/latest/develop/tools/cli/
 */
import { type AskingClient, GRACE_SECONDS } from '../../../src/engines/questions.js';
import { shellQuote } from '../../../src/labs/lab.js';
import type { SqlAnswer, SqlQuestion } from '../../../src/types.js';
import { databaseNumber, readingCommand } from './command.js';

/** More than is ever read of an answer: the rest is not kept. */
const SAID_BYTES = 5_000_000;

/**
 * Its command needs C and AS of the engine's script. The words of the query were quoted by `forShell`. Each line of an answer gets a mark,
 * so that lines can be counted; an error goes where errors go.
 */
export const redisClient: AskingClient = {
  command: `  eval "set -- $1 $2 $3"
  seconds=$1 number=$2
  shift 2
  {
    timeout -k ${GRACE_SECONDS} $seconds $AS "$C" -s $R/s --no-raw -n $number "$@" 2>$R/q.wrong </dev/null
    echo $? >$R/q.exit
  } | head -c ${SAID_BYTES} >$R/q.said
  code=$(cat $R/q.exit)
  head -n 1 $R/q.said | grep -a '^(error) ' >&2 && return 1
  head -c 1000 $R/q.wrong >&2
  sed -e '/^(empty [a-z ]*)$/d' -e "s/^/$T/" $R/q.said
  return $code`,
  place: (database) => shellQuote(databaseNumber(database)),
  counted: '"$T"',
  rowCount: (lines) => lines,
  rows: rowsOf,
  errorOf,
};

/** A question as the client takes it. @throws RangeError in words for people. */
export function forShell(question: SqlQuestion): SqlQuestion {
  databaseNumber(question.database);
  return { ...question, query: readingCommand(question.query).map(shellQuote).join(' ') };
}

/** One line for each element of a list. Of a text that is cut the last line counts only where it is the only one. */
function rowsOf(text: string, token: string, cut: boolean): (string | null)[][] {
  const lines = text
    .split(token)
    .slice(1)
    .map((line) => line.replace(/\n$/, ''));
  const whole = cut && lines.length > 1 ? lines.slice(0, -1) : lines;
  return whole.map((line) => [shownValue(line.replace(/^ *\d+\) /, ''))]);
}

function shownValue(shown: string): string | null {
  if (shown === '(nil)') return null;
  if (/^ *\d+\) /.test(shown)) throw new RangeError('it must answer with one value or one plain list');
  const [, typed] = /^\((?:integer|double)\) (.*)$/.exec(shown) ?? [];
  return typed ?? (shown.startsWith('"') ? unquoted(shown) : shown);
}

const BYTES: Record<string, number> = { n: 10, r: 13, t: 9, a: 7, b: 8 };

/** Bytes that are no printable ASCII stand as `\\xhh`; together they are UTF-8, or what is none. */
function unquoted(shown: string): string {
  const bytes = shown.replace(/^"|"$/g, '').replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, other: string) => {
    return String.fromCharCode(hex === undefined ? (BYTES[other] ?? other.charCodeAt(0)) : Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function errorOf(code: number, said: string, timeoutSeconds: number): SqlAnswer['error'] {
  if (code === 0) return null;
  const text = (said.split('\n')[0] ?? '').slice(0, 400) || `the client ended with exit code ${code}`;
  if (code === 124 || code === 137) return { kind: 'timeout', text: `more than ${timeoutSeconds} s; ${text}` };
  // Under this name there is a value of another type.
  return { kind: /^\(error\) WRONGTYPE /.test(text) ? 'absent' : 'statement', text };
}
