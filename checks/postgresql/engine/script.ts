/** The shell script that runs inside the guest's own tree: recover, check, stop. It prints marked lines, which `parse.ts` reads. */
import type { EnginePlace } from './place.js';

/** Each line of the answer that is not output of a program begins with it. */
export const MARK = '@@';

export interface ScriptOptions {
  startTimeoutMs: number;
  /** Zero: amcheck is not run. */
  amcheckTimeoutMs: number;
}

/**
 * Settings that keep the server apart and honest: no network, no archive, nothing from the guest's own configuration that
 * could start other work. `fsync` is off because the overlay is thrown away; without it the start alone walks every file.
 */
const SETTINGS = [
  'listen_addresses=',
  'unix_socket_directories=/run/snapproof',
  'hba_file=/run/snapproof/hba.conf',
  'ident_file=/run/snapproof/empty.conf',
  'external_pid_file=/run/snapproof/server.pid',
  'logging_collector=off',
  'log_destination=stderr',
  'log_min_messages=log',
  'lc_messages=C',
  'fsync=off',
  'autovacuum=off',
  'archive_mode=off',
  'archive_command=',
  'restore_command=',
  'primary_conninfo=',
  'shared_preload_libraries=',
  'local_preload_libraries=',
  'session_preload_libraries=',
  'ssl=off',
  'huge_pages=off',
  'shared_buffers=64MB',
  'max_connections=100',
  'max_prepared_transactions=200',
  'max_worker_processes=8',
];

/** @param quote makes one shell word of any string */
export function engineScript(place: EnginePlace, options: ScriptOptions, quote: (word: string) => string): string {
  const settings = SETTINGS.map((setting) => `-c ${setting}`).join(' ');
  const startSeconds = Math.ceil(options.startTimeoutMs / 1000);
  const amcheckSeconds = Math.ceil(options.amcheckTimeoutMs / 1000);
  return `
B=${quote(place.binaries)}
D=${quote(place.dataFolder)}
R=/run/snapproof
mkdir -p $R && : >$R/empty.conf && echo 'local all all trust' >$R/hba.conf
O=$(stat -c '%u:%g' "$D") || { echo '${MARK} problem the data folder is not there'; exit 0; }
U=$(stat -c '%U' "$D")
chown -R "$O" $R
as() { chroot --userspec="$O" / "$@"; }
now() { date +%s%N; }
echo "${MARK} version $("$B/postgres" --version 2>&1 | head -n 1)"
rm -f "$D/postmaster.pid"
begin=$(now)
cd /
as "$B/pg_ctl" -D "$D" -w -t ${startSeconds} -l $R/log -o "-c config_file=$R/empty.conf ${settings}" start >$R/start 2>&1
echo "${MARK} started $?"
echo "${MARK} start-ns $(( $(now) - begin ))"
role=
for candidate in postgres "$U"; do
  [ -n "$role" ] || as "$B/psql" -h $R -U "$candidate" -d template1 -Atqc 'select 1' >/dev/null 2>&1 && role=\${role:-$candidate}
done
if [ -n "$role" ]; then
  echo "${MARK} role $role"
  echo "${MARK} databases $(as "$B/psql" -h $R -U "$role" -d template1 -Atqc 'select count(*) from pg_database where datallowconn' 2>/dev/null)"
  if [ ${amcheckSeconds} -gt 0 ] && [ -x "$B/pg_amcheck" ]; then
    begin=$(now)
    timeout ${amcheckSeconds} chroot --userspec="$O" / "$B/pg_amcheck" -h $R -U "$role" --all --install-missing --heapallindexed --parent-check --rootdescend --jobs=2 >$R/amcheck 2>&1
    echo "${MARK} amcheck $?"
    echo "${MARK} amcheck-ns $(( $(now) - begin ))"
    echo "${MARK} amcheck-lines $(wc -l <$R/amcheck)"
    head -n 60 $R/amcheck | cut -c 1-400 | sed 's/^/amcheck: /'
  fi
fi
as "$B/pg_ctl" -D "$D" -w -t 120 -m fast stop >$R/stop 2>&1
echo "${MARK} stopped $?"
{ head -n 40 $R/log; tail -n 40 $R/log; cat $R/start; } 2>/dev/null | cut -c 1-400 | sed 's/^/log: /'
`;
}
