/** How the client of MariaDB is asked, and how its answer reads: https://mariadb.com/kb/en/mariadb-command-line-client/ */
import { type AskingClient, GRACE_SECONDS } from '../../../src/engines/questions.js';
import { shellQuote } from '../../../src/labs/lab.js';
import type { SqlAnswer } from '../../../src/types.js';
import { kindOf } from './server-log.js';

/**
 * Its command needs M and AS of the engine's script. As XML, because there alone NULL is told from a text and no value can end a field: `<`,
 * `>`, `&` and `"` are written as references. `--binary-mode` takes the client its own commands, such as `\!` for a shell. The client repeats
 * the whole statement before an error: only the error goes on.
 */
export const mariadbClient: AskingClient = {
  command: `  printf '%s\\n' "$3" | timeout $(( $1 + ${GRACE_SECONDS} )) $AS "$M" --no-defaults --socket=$R/s --xml --quick --binary-mode --default-character-set=utf8mb4 --init-command="SET SESSION max_statement_time=$1, tx_read_only=1" \${2:+"--database=$2"} 2>$R/q.said
  code=$?
  grep -a '^ERROR ' $R/q.said | tail -n 1 >&2
  return $code`,
  place: (database) => shellQuote(database ?? ''),
  counted: `'<row>'`,
  rowCount: (rows) => rows,
  rows: rowsOf,
  errorOf,
};

const FIELD = /<field name="[^"<]*"(?:( xsi:nil="true") \/>|>([^<]*)<\/field>)/g;

/** A row that is cut off is left out, but for the only one: of that the fields that came whole count. */
function rowsOf(text: string, _token: string, cut: boolean): (string | null)[][] {
  if ((text.match(/<resultset /g) ?? []).length > 1) throw new RangeError('it must be one statement');
  const rows = text.split('<row>').slice(1);
  const whole = cut && rows.length > 1 ? rows.slice(0, -1) : rows;
  return whole.map((row) => [...row.matchAll(FIELD)].map(([, nil, value = '']) => (nil ? null : unescaped(value))));
}

const REFERENCES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot);/g, (_, name: string) => REFERENCES[name] ?? '');
}

/** No such table, database, column's table. https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const ABSENT = ['1146', '1049', '1109'];
/** max_statement_time, an interrupted query. */
const TIME = ['1969', '1317', '3024'];
/** Not in the engine, a wrong or old key file, marked as crashed, a corrupt index, a corrupt table, a tablespace that is missing or discarded. */
const DAMAGE = ['1932', '1034', '1035', '1194', '1195', '1712', '1877', '1812', '1814'];

function errorOf(code: number, said: string, timeoutSeconds: number): SqlAnswer['error'] {
  if (code === 0) return null;
  const line = said.split('\n')[0] ?? '';
  const text = line.slice(0, 400) || `the client ended with exit code ${code}`;
  const [, number = ''] = /^ERROR (\d{4}) /.exec(line) ?? [];
  if (code === 124 || code === 137 || TIME.includes(number)) return { kind: 'timeout', text: `more than ${timeoutSeconds} s; ${text}` };
  if (ABSENT.includes(number)) return { kind: 'absent', text };
  // 1030: "Got error 176 "Read page with wrong checksum" from storage engine", but also a full disk.
  const damaged = DAMAGE.includes(number) || (number === '1030' && kindOf(`[ERROR] ${line}`) === 'damage');
  return { kind: damaged ? 'damage' : 'statement', text };
}
