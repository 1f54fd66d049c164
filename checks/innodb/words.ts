/** Words that the checks of this family share. */
import type { PageExample, Tally } from '../../src/bytes/page-facts.js';
import type { CheckTarget } from '../../src/check.js';
import type { Finding, Severity } from '../../src/types.js';
import { count } from '../../src/words.js';

export { count };

export function notInnodb(target: CheckTarget): string | null {
  if (target.kind !== 'instance' || target.instance.engine !== 'innodb') return 'it is no InnoDB instance';
  return target.instance.facts.hasInnodb === false ? 'the server was run without InnoDB' : null;
}

export function finding(code: string, severity: Severity, message: string, where: Finding['where'] = {}): Finding {
  return { code: `innodb.${code}`, severity, message, where };
}

/** One finding for all, then one for each example. */
export function tallied(code: string, severity: Severity, tally: Tally, message: (pages: string) => string, each: (place: string) => string): Finding[] {
  if (tally.count === 0) return [];
  const examples = tally.examples.map((example) => finding(`${code}.page`, severity, each(placeOf(example)), { ...example }));
  return [finding(code, severity, message(count(tally.count, 'page')), { pages: tally.count }), ...examples];
}

function placeOf({ file, block }: PageExample): string {
  return `Page ${block} of ${file}`;
}

export const SKEW_ADVICE =
  'Do not rely on this restore point. Take the snapshot of all disks of this machine at the same instant (one consistency group), and verify the one before.';
export const DAMAGE_ADVICE = 'Take an earlier restore point, and check the storage and the live server (CHECK TABLE, innochecksum) for the same damage.';
export const LOG_ADVICE = 'Take an earlier restore point: without its redo log the server does not start, and forcing it to start loses data.';
