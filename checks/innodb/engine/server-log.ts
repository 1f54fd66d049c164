/** What lines of MariaDB's error log say about the data. Its messages carry no codes: the words of its source decide. */

/** `skew`: files of different instants. `place`: about the machine it runs on here. `noise`: no statement about the backup. */
export type LineKind = 'damage' | 'skew' | 'place' | 'noise' | 'other';

/** Seen in consistent copies, with every table sound; and what follows from another line. */
const NOISE =
  /clustered index record .*not found|clustered record for sec rec not found|mysql_upgrade|mariadb-upgrade|Missing system table|Incorrect definition of table mysql\.|roles_mapping|Plugin '.*' (init|registration)|Aborting|tc-heuristic-recover|marked as crashed and (should|last)|feedback|Unknown\/unsupported storage engine|Failed to initialize plugins/i;
const PLACE =
  /errno: (12|13|24|28)\b|Can't (create|open|find) (file|error|messagefile|test file)|Can't start server|out of memory|cannot allocate|no space left|disk full|io_uring|permission denied|unknown (variable|option)|error while loading shared libraries|encrypt|key_management|decrypt|innodb[_-]page[_-]size|innodb_data_file_path|is of a different size|auto-extending data file|unsupported (redo log )?format|downgrade|upgrade after a crash|lock .*ibdata|got signal (4|9)\b|read only|read-only|provider|compression algorithm/i;
const SKEW =
  /in the future|Not applying .* due to corruption|log sequence number .* (is )?(newer|older)|Missing FILE_CHECKPOINT|belong to a different|is newer than the log/i;
const DAMAGE =
  /corrupt|checksum|Assertion failure|got signal (6|7|8|11)\b|Unable to read|cannot find a (valid )?checkpoint|No valid checkpoint|invalid log (header|block)|Tablespace .*(missing|not found)|was not found\b|Cannot find space|Cannot open .*\.ibd|Could not find a valid tablespace|Trying to (access|read)|Aria recovery failed|doesn't exist in engine|Operating system error number 2\b|is missing|crashed/i;

export function kindOf(line: string): LineKind {
  if (NOISE.test(line)) return 'noise';
  if (SKEW.test(line)) return 'skew';
  if (PLACE.test(line)) return 'place';
  if (DAMAGE.test(line)) return 'damage';
  return /\[ERROR\]/.test(line) ? 'other' : 'noise';
}
