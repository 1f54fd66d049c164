/** The shell script that lets Redis or Valkey load its files, asks what it holds, and stops it: in the guest's own tree, or in the sandbox on a copy. */
import { MARK } from '../../../src/engines/answer.js';
import { findProgram, preamble, SERVER } from '../../../src/engines/script.js';
import { type EngineScene, shellQuote } from '../../../src/labs/lab.js';
import type { ToLoad } from './what-to-load.js';

export interface ScriptOptions {
  startTimeoutMs: number;
  /** Of the program that checks the files. */
  checkTimeoutMs: number;
  load: ToLoad;
  program: string;
  /** What the policy wants to know of the data: text of `questionsScript`. */
  questions?: string;
}

/**
 * No settings of the guest, so no modules, accounts, replication or cluster; nobody may reach it but by a socket in the run's folder; it never
 * saves or rewrites. As many databases as any server may have had: a file that names a higher number is refused. Every option is known
 * from Redis 3 on, for an unknown one stops the server. https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/
 */
const SETTINGS = [
  ...['--port 0', '--daemonize no', '--loglevel notice', "--save ''", '--databases 4096', '--appendfsync no'],
  ...['--auto-aof-rewrite-percentage 0', '--maxmemory 0', '--rdbchecksum yes', '--stop-writes-on-bgsave-error no'],
].join(' ');

/** Lines that `server-log.ts` judges: warnings, what was loaded, and what a server says that did not get as far as a log. */
const LOG_LINES =
  '^[0-9]+:[A-Z] .* # |loaded from|Done loading|RDB memory usage|\\*\\*\\* |Bad directive|error while loading shared libraries|crashed by signal|ASSERTION|Killed';

export function engineScript(scene: EngineScene, { startTimeoutMs, checkTimeoutMs, load, program, questions = '' }: ScriptOptions): string {
  const family = program.replace(/-server$/, '');
  return `${preamble(scene)}${SERVER}${findProgram('C', [`${family}-cli`, 'redis-cli', 'valkey-cli'])}
[ -n "$C" ] || { echo '${MARK} problem there is no client program (redis-cli)'; exit 0; }
client() { timeout 60 $AS "$C" -s $R/s "$@" 2>/dev/null </dev/null | head -c 1000000 | tr -d '\\r'; }
server() {
  $AS "$B/${program}" ${SETTINGS} --unixsocket $R/s --pidfile $R/pid --dir "$D" ${loadOptions(load)} >>$R/log 2>&1 </dev/null
}
echo "${MARK} version $("$B/${program}" --version 2>&1 | head -n 1)"
${filesCheck(family, load, Math.ceil(checkTimeoutMs / 1000))}
: >$R/log
begin=$(now)
begin_server server
up=
while [ $(( ($(now) - begin) / 1000000000 )) -lt ${Math.ceil(startTimeoutMs / 1000)} ]; do
  case "$(client ping)" in *PONG*) up=yes; break;; esac
  [ -f $R/exit ] && break
  sleep 0.2 2>/dev/null || sleep 1
done
echo "${MARK} start-ns $(( $(now) - begin ))"
[ -z "$up" ] && [ ! -f $R/exit ] && echo '${MARK} slow'
seen=$(wc -l <$R/log | number)
if [ -n "$up" ]; then
  echo '${MARK} up'
  client info keyspace | grep -a '^db[0-9]*:keys=' >$R/keys
  echo "${MARK} databases $(wc -l <$R/keys | number)"
  head -n 100 $R/keys | cut -c 1-200 | sed 's/^/keys: /'
  client info persistence | grep -aE '^(aof_current_size|aof_enabled):' | head -n 10 | cut -c 1-200 | sed 's/^/info: /'
  :${questions}
  client shutdown nosave >/dev/null
fi
if [ -n "$up" ]; then ended 120 && echo '${MARK} stopped'; fi
[ -f $R/exit ] || { kill -9 $(number <$R/pid) 2>/dev/null; ended 10; }
[ -f $R/exit ] && echo "${MARK} exit $(number <$R/exit)"
head -n "\${seen:-0}" $R/log >$R/first
tail -n +$(( \${seen:-0} + 1 )) $R/log >$R/last
for part in first last; do grep -aE '${LOG_LINES}' $R/$part >$R/$part.said; done
{ head -n 100 $R/first.said; tail -n +101 $R/first.said | tail -n 100; } | cut -c 1-400 | sed 's/^/log: /'
tail -n 100 $R/last.said | cut -c 1-400 | sed 's/^/late: /'
`;
}

function loadOptions(load: ToLoad): string {
  if (load.kind === 'rdb') return `--appendonly no --dbfilename ${shellQuote(load.file)}`;
  const folder = load.folder === null ? '' : ` --appenddirname ${shellQuote(load.folder)}`;
  return `--appendonly yes --appendfilename ${shellQuote(load.file)}${folder} --aof-load-truncated ${load.loadTruncated ? 'yes' : 'no'}`;
}

/** Before the server starts, which cuts off the end of a log that is not whole. Its exit code tells nothing: it is 1 for files that the server loads. */
function filesCheck(family: string, load: ToLoad, seconds: number): string {
  const kind = load.kind === 'rdb' ? 'rdb' : 'aof';
  const path = load.kind === 'aof' && load.folder !== null ? `${load.folder}/${load.file}.manifest` : load.file;
  return `${findProgram('K', [`${family}-check-${kind}`, `redis-check-${kind}`, `valkey-check-${kind}`])}
if [ ${seconds} -gt 0 ] && [ -n "$K" ]; then
  echo '${MARK} tool ${kind}'
  timeout ${seconds} $AS "$K" "$D"/${shellQuote(path)} >$R/tool 2>&1 </dev/null
  echo "${MARK} tool-code $?"
  grep -aE 'looks OK|ERROR DETECTED|is valid|are valid|not valid|not sane|[Ii]nvalid|Unexpected|Reached EOF|Expected|ok_up_to|Cannot|can.t|[Ff]atal' $R/tool | tail -n 20 | cut -c 1-400 | sed 's/^/tool: /'
fi
`;
}
