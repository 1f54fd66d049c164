/** Findings and sentences that the PostgreSQL checks share. */
import type { CheckTarget } from '../../src/check.js';
import type { Finding, Judgement, Severity, UntestedItem } from '../../src/types.js';
import type { ClusterHead } from './control.js';
import type { Examples } from './examples.js';
import type { ControlFile } from './format/control.js';
import { formatLsn } from './format/lsn.js';
import type { PageExample } from './pages/facts.js';

export { count } from '../../src/words.js';

/** Keys of examples that are log positions. */
const LSN_KEYS = new Set(['lsn', 'required', 'logEnd']);

export function finding(code: string, severity: Severity, message: string, where: Finding['where'] = {}): Finding {
  return { code: `postgresql.${code}`, severity, message, where };
}

/** One finding per example, so that each names its place; the rest is counted in the sentence. */
export function exampleFindings(code: string, severity: Severity, message: (place: string) => string, examples: PageExample[]): Finding[] {
  return examples.map((example) => finding(code, severity, message(`block ${example.block} of ${example.file}`), printable(example)));
}

function printable(example: PageExample): Finding['where'] {
  return Object.fromEntries(Object.entries(example).map(([key, value]) => [key, LSN_KEYS.has(key) && typeof value === 'number' ? formatLsn(value) : value]));
}

export function notPostgres(target: CheckTarget): string | null {
  return target.kind === 'instance' && target.instance.engine === 'postgresql' ? null : 'it is no PostgreSQL cluster';
}

/** The control file, or the judgement that must be given without it. */
export function trustedControl(head: ClusterHead, what: string): { control: ControlFile } | { judgement: Judgement } {
  if (head.control.kind === 'ok') return { control: head.control.control };
  const { kind, why } = head.control;
  const untested: UntestedItem[] = [{ what, why, holdsData: true }];
  if (kind === 'unknown') return { judgement: notJudged(what, why) };
  const findings = [finding('control.damaged', 'critical', `The cluster cannot be judged: ${why}.`, { file: 'global/pg_control' })];
  return { judgement: { outcome: 'fail', summary: `Not judged: ${why}.`, findings, advice: CONTROL_ADVICE, instanceState: 'damaged', tested: [], untested } };
}

/** Passes, because nothing speaks against it, and is listed as untested: the verdict cannot be `passed`. */
export function notJudged(what: string, why: string): Judgement {
  const untested: UntestedItem[] = [{ what, why, holdsData: true }];
  return { outcome: 'pass', summary: `Not judged: ${why}.`, findings: [], instanceState: 'unknown', tested: [], untested };
}

type Where = Finding['where'];

/** One critical finding per example; when there are more, the first of them says how many. */
export function countedFindings<T>(
  { count: total, examples }: Examples<T>,
  code: string,
  message: (example: T) => string,
  where: (example: T) => Where = (example) => ({ ...example }) as Where,
): Finding[] {
  const more = total > 1 ? ` (${total} in all)` : '';
  return examples.map((example, i) => finding(code, 'critical', message(example) + (i === 0 ? more : ''), where(example)));
}

export const CONTROL_ADVICE = 'Restore from an earlier restore point: without its control file the server does not start.';
export const SKEW_ADVICE =
  'Do not rely on this restore point. Take the snapshot of all disks of this machine at the same instant (one consistency group), and verify the one before.';
export const DAMAGE_ADVICE = 'Take an earlier restore point, and check the storage and the live server (pg_amcheck, pg_checksums) for the same damage.';
