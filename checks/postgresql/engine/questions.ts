/**
 * Queries for a recovered cluster, as shell text, and what psql answered. Values come back between marks that nobody can guess, as base64,
 * so that no value of a guest can pass for anything else. https://www.postgresql.org/docs/15/app-psql.html
 */
import { randomBytes } from 'node:crypto';
import { shellQuote } from '../../../src/labs/lab.js';
import type { SqlAnswer, SqlQuestion } from '../../../src/types.js';
import { kindOf } from './server-log.js';

/** Read of an answer, to count its rows. */
const READ_BYTES = 4 * 1024 * 1024;
/** Of these, kept of all answers together: the appliance's own channel is narrow. */
const KEPT_BYTES = 400_000;
const MOST_KEPT_BYTES = 32_768;
const ERROR_BYTES = 1500;
const MAX_ROWS = 20;
const GRACE_SECONDS = 15;

export interface Questions {
  list: SqlQuestion[];
  /** With R behind it: between rows. With N: SQL's NULL. */
  token: string;
}

export function questionsFor(instance: string, all: readonly SqlQuestion[]): Questions {
  return { list: all.filter((question) => question.instance === instance), token: `~${randomBytes(12).toString('hex')}~` };
}

/** How long they may take at most. */
export function questionsTimeoutMs({ list }: Questions): number {
  return list.reduce((sum, { timeoutSeconds }) => sum + timeoutSeconds + GRACE_SECONDS, 0) * 1000;
}

/** Text for the engine's script; it needs its B, R, AS, role, base and now(). */
export function questionsScript({ list, token }: Questions): string {
  if (list.length === 0) return '';
  const keptBytes = Math.min(MOST_KEPT_BYTES, Math.floor(KEPT_BYTES / list.length));
  const calls = list.map(({ database, query, timeoutSeconds }, i) => {
    const place = database === null ? `"dbname=$base"` : shellQuote(`dbname='${database.replace(/[\\']/g, '\\$&')}'`);
    return `ask ${i} ${timeoutSeconds} ${place} ${shellQuote(query)}`;
  });
  return `
T=${shellQuote(token)}
ask() {
  begin=$(now)
  {
    PGOPTIONS="$PGOPTIONS -c default_transaction_read_only=on -c statement_timeout=\${2}s" timeout $(( $2 + ${GRACE_SECONDS} )) $AS "$B/psql" -X -h $R -U "$role" -d "$3" -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -v FETCH_COUNT=500 -Atq -z -R "\${T}R" -P "null=\${T}N" -c "$4" 2>$R/q.err </dev/null
    echo $? >$R/q.code
  } | head -c ${READ_BYTES} >$R/q.out
  rows=$(grep -aoF "\${T}R" $R/q.out | wc -l | number)
  echo "ask: $1 $(cat $R/q.code | number) $(( $(now) - begin )) $(wc -c <$R/q.out | number) \${rows:-0} $(head -c ${keptBytes} $R/q.out | base64 | tr -d '\\n')- $(head -c ${ERROR_BYTES} $R/q.err | base64 | tr -d '\\n')-"
}
${calls.join('\n')}`;
}

/** `ask: number code nanoseconds bytes separators output- errors-` */
const LINE = /^ask: (\d{1,3}) (\d{1,3}) (\d{1,18}) (\d{1,9}) (\d{1,9}) ([A-Za-z0-9+/=]*)- ([A-Za-z0-9+/=]*)-$/;

/** Answers by the question's id; what was not answered is not in it. Takes any text. */
export function parseAnswers(stdout: string, { list, token }: Questions, how: string): Record<string, SqlAnswer> {
  const answers: Record<string, SqlAnswer> = {};
  for (const line of stdout.split('\n')) {
    const [, index, code, nanoseconds, bytes, separators, output, errors] = LINE.exec(line) ?? [];
    const question = index === undefined ? undefined : list[Number(index)];
    if (!question || answers[question.id]) continue;
    const kept = Buffer.from(output ?? '', 'base64');
    const sizeBytes = Number(bytes);
    const truncated = sizeBytes >= READ_BYTES;
    const rows = rowsOf(kept.toString('utf8'), token, kept.length < sizeBytes);
    const error = truncated ? null : errorOf(Number(code), Buffer.from(errors ?? '', 'base64').toString('utf8'), question.timeoutSeconds);
    const rowCount = sizeBytes === 0 ? 0 : Number(separators) + 1;
    answers[question.id] = {
      rows,
      rowCount,
      truncated: truncated || (rowCount === 1 && kept.length < sizeBytes),
      error,
      seconds: Number(nanoseconds) / 1e9,
      how,
    };
  }
  return answers;
}

/** The first rows that came whole, or the only one as far as it was kept. psql ends the last row with a line feed. */
function rowsOf(text: string, token: string, cut: boolean): (string | null)[][] {
  if (text === '') return [];
  const rows = (cut ? text : text.replace(/\n$/, '')).split(`${token}R`);
  const whole = cut && rows.length > 1 ? rows.slice(0, -1) : rows;
  return whole.slice(0, MAX_ROWS).map((row) => row.split('\0').map((cell) => (cell === `${token}N` ? null : cell)));
}

/** Undefined table, database, schema: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const ABSENT = /^(42P01|3D000|3F000)$/;

function errorOf(code: number, said: string, timeoutSeconds: number): SqlAnswer['error'] {
  if (code === 0) return null;
  const line = said.split('\n').find((one) => /(ERROR|FATAL|PANIC): /.test(one)) ?? said.split('\n')[0] ?? '';
  const text = line.slice(0, 400) || `psql ended with exit code ${code}`;
  const [, level, state = ''] = /(ERROR|FATAL|PANIC): {1,2}(?:([0-9A-Z]{5}): )?/.exec(line) ?? [];
  if (code === 124 || code === 137 || state === '57014') return { kind: 'timeout', text: `more than ${timeoutSeconds} s; ${text}` };
  if (ABSENT.test(state) || /database ".*" does not exist/.test(line)) return { kind: 'absent', text };
  const plain = level ? line.slice(line.indexOf(`${level}: `)) : line;
  return { kind: kindOf(plain) === 'damage' ? 'damage' : 'statement', text };
}
