/** The shell script that runs inside the guest's own tree, or in the sandbox on a copy: recover, check, stop. It prints marked lines, which `parse.ts` reads. */
import { MARK } from '../../../src/engines/answer.js';
import { preamble } from '../../../src/engines/script.js';
import type { EngineScene } from '../../../src/labs/lab.js';

export interface ScriptOptions {
  startTimeoutMs: number;
  /** Zero: amcheck is not run. */
  amcheckTimeoutMs: number;
  /** What the policy wants to know of the data: text of `questionsScript`. */
  questions?: string;
}

/**
 * Settings that keep the server apart and honest: no network, no archive, nothing of the guest's own configuration that could start
 * other work, hide damage, or move the log elsewhere. All of them exist in PostgreSQL 11 to 18: an unknown one stops the server.
 * `fsync` is off because the overlay is thrown away; without it the start alone walks every file. Some are here because the server
 * refuses to start without them: `wal_level` and `max_replication_slots` (a slot in the data directory wants them), `min_wal_size`
 * (at least two segments, which may be 1 GiB each).
 */
const SETTINGS = [
  ...['listen_addresses=', 'port=5432', 'ssl=off'],
  ...['logging_collector=off', 'log_destination=stderr', 'log_min_messages=warning', 'log_error_verbosity=verbose', 'log_line_prefix=', 'lc_messages=C'],
  ...['fsync=off', 'autovacuum=off', 'archive_mode=off', 'archive_command=', 'restart_after_crash=off'],
  ...['shared_preload_libraries=', 'local_preload_libraries=', 'session_preload_libraries='],
  ...['zero_damaged_pages=off', 'ignore_checksum_failure=off'],
  ...['wal_level=logical', 'max_replication_slots=1000', 'max_wal_senders=10', 'min_wal_size=2GB', 'max_wal_size=4GB'],
  ...['huge_pages=off', 'shared_buffers=64MB', 'max_worker_processes=8'],
];

/** Settings of a role or database that would hide damage or cut a check short are overruled for the session. */
const SESSION =
  '-c zero_damaged_pages=off -c ignore_checksum_failure=off -c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off -c client_min_messages=warning';

/** Lines of the server's log that `server-log.ts` judges. */
const LOG_LINES = '^(PANIC|FATAL|ERROR|WARNING): |redo (starts|done) at|terminated by signal|error while loading shared libraries|^postgres: ';

/** Words that the server's shell must not take apart: the folder is ours, and plain. */
function settingsIn(runFolder: string): string {
  const places = ['unix_socket_directories=', 'hba_file=/hba.conf', 'ident_file=/empty.conf', 'external_pid_file=/server.pid'];
  return [...SETTINGS, ...places.map((place) => place.replace('=', `=${runFolder}`))].map((setting) => `-c ${setting}`).join(' ');
}

/** How often text may be ordered otherwise here than where the indexes were made: by the versions of collations that the catalogue remembers (15 and later), else by name. */
const COLLATIONS = `
collations() { as "$B/psql" -X -h $R -U "$role" -d "$base" -Atqc "$1" 2>/dev/null | number; }
differing() {
  c=$(collations "select (select count(*) from pg_database where datallowconn and datcollversion is distinct from pg_database_collation_actual_version(oid)) + (select count(*) from pg_collation where collversion is not null and collversion is distinct from pg_collation_actual_version(oid))")
  [ -n "$c" ] || c=$(collations "select count(*) from pg_database where datallowconn and datcollate not in ('C', 'POSIX')")
  echo "\${c:-1}"
}`;

export function engineScript(scene: EngineScene, options: ScriptOptions): string {
  const settings = settingsIn(scene.runFolder);
  const startSeconds = Math.ceil(options.startTimeoutMs / 1000);
  const amcheckSeconds = Math.ceil(options.amcheckTimeoutMs / 1000);
  return `${preamble(scene)}
export PGPORT=5432 PGOPTIONS='${SESSION}'
: >$R/empty.conf && echo 'local all all trust' >$R/hba.conf && chmod a+r $R/*.conf
U=$(stat -c '%U' "$D")
as() { $AS "$@"; }
${COLLATIONS}
"$B/pg_controldata" "$D" >$R/control 2>/dev/null
at_least() { v=$(sed -n "s/^$1 setting: *//p" $R/control | number); if [ "\${v:-0}" -gt "$2" ]; then echo "$v"; else echo "$2"; fi; }
S="${settings} -c max_connections=$(at_least max_connections 100) -c max_prepared_transactions=$(at_least max_prepared_xacts 200) -c max_locks_per_transaction=$(at_least max_locks_per_xact 64)"
echo "${MARK} version $("$B/postgres" --version 2>&1 | head -n 1)"
rm -f "$D/postmaster.pid"
start() { as "$B/pg_ctl" -D "$D" -w -t ${startSeconds} -l $R/log -o "-c config_file=$R/empty.conf $S" start >$R/start 2>&1; }
stop() { as "$B/pg_ctl" -D "$D" -w -t 120 -m "$1" stop >>$R/stop 2>&1; }
begin=$(now)
start
code=$?
echo "${MARK} started $code"
echo "${MARK} start-ns $(( $(now) - begin ))"
role=
base=
try() {
  for base in template1 postgres; do
    as "$B/psql" -X -h $R -U "$1" -d "$base" -Atqc 'select 1' >/dev/null 2>&1 && role=$1 && return 0
  done
  return 1
}
if [ $code -eq 0 ] && ! try postgres && ! try "$U"; then
  # The cluster was made with a role of another name: only a server without sessions can tell it.
  stop fast
  name=$(echo 'select rolname from pg_authid where oid = 10' | as "$B/postgres" --single -D "$D" -c config_file=$R/empty.conf $S template1 2>>$R/log | sed -n 's/^.*rolname = "\\(.*\\)"[[:space:]](typeid.*$/\\1/p' | head -n 1)
  start
  [ -n "$name" ] && try "$name"
fi
seen=$(wc -l <$R/log | number)
if [ -n "$role" ]; then
  echo "${MARK} role"
  echo "${MARK} databases $(as "$B/psql" -X -h $R -U "$role" -d "$base" -Atqc 'select count(*) from pg_database where datallowconn' 2>/dev/null | number)"
  echo "${MARK} closed $(as "$B/psql" -X -h $R -U "$role" -d "$base" -Atqc "select count(*) from pg_database where not datallowconn and datname <> 'template0'" 2>/dev/null | number)"
  :${options.questions ?? ''}
  echo "${MARK} collations $(differing)"
  if [ ${amcheckSeconds} -gt 0 ] && [ -x "$B/pg_amcheck" ]; then
    begin=$(now)
    timeout ${amcheckSeconds} $AS "$B/pg_amcheck" -h $R -U "$role" --maintenance-db="$base" --all --install-missing --heapallindexed --parent-check --rootdescend --jobs=2 >$R/amcheck 2>&1
    echo "${MARK} amcheck $?"
    echo "${MARK} amcheck-ns $(( $(now) - begin ))"
    grep -av '^NOTICE:' $R/amcheck >$R/amcheck.said
    echo "${MARK} amcheck-lines $(wc -l <$R/amcheck.said | number)"
    head -n 60 $R/amcheck.said | cut -c 1-400 | sed 's/^/amcheck: /'
  fi
fi
stop fast
code=$?
echo "${MARK} stopped $code"
[ $code -eq 0 ] || stop immediate
head -n "\${seen:-0}" $R/log | grep -aE '${LOG_LINES}' | head -n 100 | cut -c 1-400 | sed 's/^/log: /'
tail -n +$(( \${seen:-0} + 1 )) $R/log | grep -aE '${LOG_LINES}' | head -n 100 | cut -c 1-400 | sed 's/^/late: /'
head -n 20 $R/start | cut -c 1-400 | sed 's/^/start: /'
`;
}
