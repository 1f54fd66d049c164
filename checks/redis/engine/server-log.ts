/** What lines of a server's log say about the data. Its messages carry no codes: the words of Redis 3 to 8 and Valkey decide. */

/**
 * `tail`: the end of the append-only file was cut off, as after a crash. `refused`: the same, and the settings forbid the server to cut it off.
 * `place`: about the machine it runs on here, its version or what it lacks. `noise`: an ordinary event.
 */
export type LineKind = 'damage' | 'refused' | 'tail' | 'place' | 'noise' | 'other';

const NOISE =
  /oO0OoO0Oo|(Redis|Valkey) version=|Configuration loaded|no config file specified|overcommit|TCP backlog|Transparent Huge|User requested|SIGTERM|bye bye|Server initialized|maxclients|open files|Redis is now|xen clocksource|clock ?source|You requested/i;
const TAIL = /short read while loading the AOF|Truncating the AOF|loaded anyway because aof-load-truncated|Revert incomplete MULTI/i;
const REFUSED = /Unexpected end of file reading the append only file/i;
/** Also lines that a full memory explains as well as damage does: the static checks know which. */
const PLACE =
  /RDB format version|no matching module|Unknown (or wrong-arity )?command|unknown command|unix socket|Permission denied|No space left|out of memory|\bOOM\b|failed allocating|can.t allocate|cannot allocate|Bad directive|CONFIG FILE ERROR|configured to handle more than|shared libraries|Failed (to create|opening|listening)|signal:? (4|7|9)\b|Read-only file system|Too many open files|Killed/i;
/** Its last words, such as "Fatal error loading the DB", are no reason of their own: they follow from a line of any kind. */
const DAMAGE =
  /Internal error in RDB|Wrong RDB checksum|Wrong signature|Bad file format reading|Unrecoverable error reading|manifest|truncated file is not the last|can.t open the append|append (only|log) file .* (doesn.t|does not) exist|Unexpected EOF|Unknown RDB|Bad data format|corrupt|crashed by signal|ASSERTION FAILED|Guru Meditation|duplicat/i;

export function kindOf(line: string): LineKind {
  if (NOISE.test(line)) return 'noise';
  if (TAIL.test(line)) return 'tail';
  if (REFUSED.test(line)) return 'refused';
  if (PLACE.test(line)) return 'place';
  if (DAMAGE.test(line) && !/ \* /.test(line)) return 'damage';
  return / # |\*\*\* /.test(line) ? 'other' : 'noise';
}
