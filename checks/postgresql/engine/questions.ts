/** How psql is asked, and how its answer reads: https://www.postgresql.org/docs/15/app-psql.html */
import { type AskingClient, GRACE_SECONDS } from '../../../src/engines/questions.js';
import { shellQuote } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
import { kindOf } from './server-log.js';

/** Its command needs role and base of the engine's script. Between values and rows stand marks that nobody can guess: the token with R, and with N for NULL. */
export const psql: AskingClient = {
  command: `  PGOPTIONS="$PGOPTIONS -c default_transaction_read_only=on -c statement_timeout=\${1}s" timeout $(( $1 + ${GRACE_SECONDS} )) $AS "$B/psql" -X -h $R -U "$role" -d "$2" -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -v FETCH_COUNT=500 -Atq -z -R "\${T}R" -P "null=\${T}N" -c "$3"`,
  place: (database) => (database === null ? `"dbname=$base"` : shellQuote(`dbname='${database.replace(/[\\']/g, '\\$&')}'`)),
  counted: `"\${T}R"`,
  rowCount: (separators) => separators + 1,
  rows: rowsOf,
  errorOf,
};

/** The first rows that came whole, or the only one as far as it was kept. psql ends the last row with a line feed. */
function rowsOf(text: string, token: string, cut: boolean): (string | null)[][] {
  if (text === '') return [];
  const rows = (cut ? text : text.replace(/\n$/, '')).split(`${token}R`);
  const whole = cut && rows.length > 1 ? rows.slice(0, -1) : rows;
  return whole.map((row) => row.split('\0').map((cell) => (cell === `${token}N` ? null : cell)));
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
