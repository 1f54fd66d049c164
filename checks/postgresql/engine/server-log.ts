/** What lines of a server's log say about the data, by level and SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */

/**
 * `damage`: about the data. `place`: about the machine it runs on here (memory, rights, libraries, settings). `noise`: about the
 * session that was tried, or an ordinary event. `other`: an error that is none of these.
 */
export type LineKind = 'damage' | 'place' | 'noise' | 'other';

/** `FATAL:  XX001: invalid page in block 0 of relation base/5/1259`, as log_error_verbosity=verbose prints it. */
const LINE = /^(PANIC|FATAL|ERROR|WARNING|LOG): {1,2}(?:([0-9A-Z]{5}): )?(.*)$/;

/** Things of the machine. Many of these messages carry the SQLSTATE of an internal error, so the text decides first. */
const PLACE =
  /shared memory|semaphore|could not fork|out of memory|cannot allocate memory|no space left|permission denied|loading shared libraries|could not load library|\$libdir|extension|resource manager with id|incompatible with (the )?server|socket|lock file|terminated by signal (4|7|9)\b|ssl|certificate|private key|locale|could not load|text search|time ?zone|configuration (file|parameter)|must be at least/i;
/** Insufficient resources, configuration, rights, invalid settings, wrong state of the server. */
const PLACE_CODES = /^(53...|F0...|42501|22023|55...|58000|0A000)$/;
/** Authorization, unknown database, administrator's shutdown, starting up, cancelled. */
const NOISE_CODES = /^(28...|3D000|57P0[1235]|57014|08...)$/;
const DAMAGE_CODES = /^(XX...|58P01|58030)$/;
const DAMAGE_TEXT =
  /could not read block|invalid page|could not open file|could not locate|corrupt|could not find redo|no valid checkpoint|terminated by signal (6|8|11)\b/i;

export function kindOf(line: string): LineKind {
  const [, level, code = '', text = line] = LINE.exec(line) ?? [];
  if (PLACE.test(text) || PLACE_CODES.test(code)) return 'place';
  if (level === 'PANIC' || DAMAGE_CODES.test(code)) return 'damage';
  if (NOISE_CODES.test(code)) return 'noise';
  if (DAMAGE_TEXT.test(text) && level !== 'WARNING') return 'damage';
  return level === 'FATAL' || level === 'ERROR' ? 'other' : level === undefined ? 'other' : 'noise';
}
