/** The shell script that recovers a MariaDB data directory, checks its tables and stops: in the guest's own tree, or in the sandbox on a copy. */
import { MARK } from '../../../src/engines/answer.js';
import { findProgram, preamble, SERVER } from '../../../src/engines/script.js';
import { type EngineScene, shellQuote } from '../../../src/labs/lab.js';

/** Folders of an instance that may lie elsewhere; the server has options of the same names. */
export const PARTS = ['innodb_data_home_dir', 'innodb_log_group_home_dir', 'innodb_undo_directory'];

export interface ScriptOptions {
  startTimeoutMs: number;
  checkTimeoutMs: number;
  /** Of the system tablespace; null: the server's default. */
  pageBytes: number | null;
  /** What the policy wants to know of the data: text of `questionsScript`. */
  questions?: string;
}

/**
 * What keeps the server apart and honest: nobody may reach it, nothing of the guest's settings, accounts, plugins, events or replication is
 * used, no repair hides damage, and never innodb_force_recovery, which makes a server start that should not.
 * https://mariadb.com/kb/en/mariadbd-options/
 */
const SETTINGS = [
  ...['--skip-networking', '--skip-grant-tables', '--skip-slave-start', '--event-scheduler=OFF', '--skip-log-bin', '--local-infile=OFF'],
  ...['--myisam-recover-options=OFF', '--aria-recover-options=OFF', '--performance-schema=OFF', '--lc-messages=en_US'],
  ...['--innodb-buffer-pool-size=128M', '--innodb-buffer-pool-dump-at-shutdown=OFF', '--innodb-buffer-pool-load-at-startup=OFF', '--innodb-use-native-aio=OFF'],
].join(' ');

const TABLES = "from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('information_schema', 'performance_schema')";
const STATEMENTS = `select concat('CHECK TABLE \`', replace(table_schema, '\`', '\`\`'), '\`.\`', replace(table_name, '\`', '\`\`'), '\` EXTENDED;') ${TABLES}`;

/** A single question of the script; a list of all tables opens each of them. */
const CLIENT_SECONDS = 600;

/** Lines of the server's log that `server-log.ts` judges. */
const LOG_LINES =
  '\\[ERROR\\]|got signal|Assertion failure|Starting crash recovery|End of log at|error while loading shared libraries|unknown (variable|option)';

export function engineScript(scene: EngineScene, { startTimeoutMs, checkTimeoutMs, pageBytes, questions = '' }: ScriptOptions): string {
  const places = Object.entries(scene.parts).map(([name, path]) => shellQuote(`--${name.replaceAll('_', '-')}=${path}`));
  const page = pageBytes === null ? [] : [`--innodb-page-size=${pageBytes}`];
  return `${preamble(scene, ['tmp'])}${SERVER}
user=
[ "\${O%%:*}" = 0 ] && user=--user=root
${findProgram('M', ['mariadb', 'mysql'], ['/usr/bin', '/usr/local/bin', '/usr/local/mysql/bin'])}[ -n "$M" ] || { echo '${MARK} problem the guest has no client program (mariadb)'; exit 0; }
client() { timeout ${CLIENT_SECONDS} $AS "$M" --no-defaults --socket=$R/s --skip-column-names --batch --binary-mode "$@"; }
server() {
  $AS "$B/mariadbd" --no-defaults "--datadir=$D" ${[...places, ...page].join(' ')} --tmpdir=$R/tmp --socket=$R/s --pid-file=$R/pid --log-error=$R/log.err ${SETTINGS} $user "$@" >>$R/out 2>&1 </dev/null
}
start() {
  begin_server server "$@"
  waited=0
  while [ $waited -lt ${Math.ceil(startTimeoutMs / 1000)} ]; do
    client -e 'select 1' >/dev/null 2>&1 && return 0
    [ -f $R/exit ] && return 1
    sleep 1
    waited=$((waited + 1))
  done
  echo '${MARK} slow'
  return 1
}
echo "${MARK} version $("$B/mariadbd" --no-defaults --version 2>&1 | head -n 1)"
begin=$(now)
start
code=$?
if [ $code -ne 0 ] && [ -f $R/exit ] && grep -aq 'tc-heuristic-recover' $R/log.err; then
  # Transactions that wait for the word of the binary log, which stays away here: taken back, on this throw-away state.
  echo '${MARK} prepared'
  cat $R/log.err >>$R/first.err && : >$R/log.err
  # Some versions end afterwards and want to be started again, others go on.
  start --tc-heuristic-recover=ROLLBACK || start
  code=$?
fi
echo "${MARK} start-ns $(( $(now) - begin ))"
seen=$(wc -l <$R/log.err | number)
if [ $code -eq 0 ]; then
  echo '${MARK} up'
  :${questions}
${checkTimeoutMs > 0 ? tableCheck(Math.ceil(checkTimeoutMs / 1000)) : ''}  client -e shutdown >/dev/null 2>&1
fi
ended 120 && echo '${MARK} stopped' || { kill -9 $(cat $R/pid) 2>/dev/null; ended 10; }
cat $R/first.err 2>/dev/null | grep -aE '${LOG_LINES}' | grep -avE 'tc-heuristic-recover|Aborting' | head -n 50 | cut -c 1-400 | sed 's/^/log: /'
head -n "\${seen:-0}" $R/log.err | grep -aE '${LOG_LINES}' | head -n 100 | cut -c 1-400 | sed 's/^/log: /'
tail -n +$(( \${seen:-0} + 1 )) $R/log.err | grep -aE '${LOG_LINES}' | head -n 100 | cut -c 1-400 | sed 's/^/late: /'
grep -aE '${LOG_LINES}' $R/out | head -n 20 | cut -c 1-400 | sed 's/^/log: /'
`;
}

const SOUND = "'\tstatus\t(OK|Table is already up to date)$'";
/** Of so many tables that complain all rows are shown, and so many further rows. */
const SHOWN_TABLES = 100;
const SHOWN_ROWS = 500;
const OTHER_ROWS = 100;

/**
 * All rows of a table that complains stand together, its warnings first: without them nobody can tell damage from a table in use.
 * They come before the warnings of all other tables, however many those are.
 */
function tableCheck(seconds: number): string {
  return `
  begin=$(now)
  client --raw -e ${shellQuote(STATEMENTS)} >$R/statements 2>$R/list.err
  echo "${MARK} tables $(client -e ${shellQuote(`select count(*) ${TABLES}`)} 2>/dev/null | number)"
  if [ -s $R/statements ]; then
    timeout ${seconds} $AS "$M" --no-defaults --socket=$R/s --skip-column-names --batch --binary-mode --force <$R/statements >$R/check 2>$R/check.err
    echo "${MARK} check $?"
    echo "${MARK} check-ns $(( $(now) - begin ))"
    echo "${MARK} sound $(grep -acE ${SOUND} $R/check | number)"
    grep -avE ${SOUND} $R/check >$R/rows
    grep -aE '\t(error|status|Error)\t' $R/rows | cut -f 1 | uniq | sed 's/$/\t/' >$R/complained
    echo "${MARK} unsupported $(grep -aiE '\tnote\t.*support' $R/rows | cut -f 1 | uniq | wc -l | number)"
    echo "${MARK} complained $(wc -l <$R/complained | number)"
    head -n ${SHOWN_TABLES} $R/complained >$R/shown
    { grep -aF -f $R/shown $R/rows | head -n ${SHOWN_ROWS}; grep -avF -f $R/complained $R/rows | head -n ${OTHER_ROWS}; } | cut -c 1-400 | sed 's/^/check: /'
    head -n 20 $R/check.err | cut -c 1-400 | sed 's/^/client: /'
  fi
`;
}
