/** What the scripts of all engines begin with. They ask nothing of the place but a POSIX shell, coreutils, grep and sed. */
import { type EngineScene, shellQuote } from '../labs/lab.js';
import { MARK } from './answer.js';

/**
 * B: folder of the programs, D: the data, R: a folder of the run, O: owner of the data as `uid:gid`, AS: before a program that must run as
 * that owner. `now` prints nanoseconds, `number` the digits of a first line.
 * @param folders made below R, for the owner.
 */
export function preamble(scene: EngineScene, folders: string[] = []): string {
  const inRun = folders.map((name) => ` $R/${name}`).join('');
  return `
B=${shellQuote(scene.binaries)}
D=${shellQuote(scene.dataFolder)}
R=${scene.runFolder}
mkdir -p $R${inRun}
O=$(stat -c '%u:%g' "$D") || { echo '${MARK} problem the data folder is not there'; exit 0; }
${scene.identity === 'root' ? `AS="chroot --userspec=$O /"; chown "$O" $R${inRun}` : 'AS='}
now() { date +%s%N; }
number() { head -n 1 | tr -dc 0-9; }
cd /
`;
}

/** The first program of a list of names in the engine's own folder or where programs commonly lie, in the variable `name`. */
export function findProgram(variable: string, names: string[], folders = ['/usr/bin', '/usr/local/bin']): string {
  return `
${variable}=
for folder in "$B" ${folders.join(' ')}; do
  for name in ${names.join(' ')}; do [ -z "$${variable}" ] && [ -x "$folder/$name" ] && ${variable}=$folder/$name; done
done
`;
}

/** `begin_server COMMAND...` runs it in the background and writes its exit code to $R/exit; `ended SECONDS` waits for that. */
export const SERVER = `
begin_server() {
  rm -f $R/exit
  ( "$@"; echo $? >$R/exit ) &
}
ended() {
  waited=0
  while [ ! -f $R/exit ] && [ $waited -lt "$1" ]; do sleep 1; waited=$((waited + 1)); done
  [ -f $R/exit ]
}
`;
