/** What a drill adds up to. Pure. What was not reached, not read or not measured never reads as a pass. */
import type { ControlResult, DrillDocument, DrillItem, DrillVerdict, OverdueMachine } from '../documents.js';
import { count } from '../words.js';
import { REQUIRED_WORDS } from './objectives.js';
import { durationWords } from './policy/duration.js';

export interface DrillFacts {
  items: DrillItem[];
  overdue: OverdueMachine[];
  controls: ControlResult[];
  /** Whether the policy asks for controls. */
  withControls: boolean;
  /** Sources that could not be listed. */
  problems: string[];
}

export function foldDrill(facts: DrillFacts): Pick<DrillDocument, 'verdict' | 'reasons'> {
  const voids = facts.controls.filter(contradicts).map((control) => `The control ${control.name} (${control.damage}) came out wrong: ${control.why}`);
  const failures = [...failedItems(facts.items), ...facts.overdue.map(overdueWords)];
  const doubts = [...facts.problems, ...doubtfulItems(facts.items), ...doubtfulControls(facts)];
  const reasons = [...voids.map((text) => `${text} Nothing that this drill says counts.`), ...failures, ...doubts];
  return { verdict: verdictOf(voids, failures, doubts), reasons: reasons.length > 0 ? reasons : [passedWords(facts.items)] };
}

function verdictOf(voids: string[], failures: string[], doubts: string[]): DrillVerdict {
  if (voids.length > 0) return 'void';
  if (failures.length > 0) return 'failed';
  return doubts.length > 0 ? 'inconclusive' : 'passed';
}

/** A bad one that passed, or the sound one that failed. */
export function contradicts({ expected = 'failed', verdict }: ControlResult): boolean {
  return expected === 'passed' ? verdict === 'failed' : verdict === 'passed';
}

function asExpected({ expected = 'failed', verdict, rejected }: ControlResult): boolean {
  return expected === 'passed' ? verdict === 'passed' : rejected;
}

function failedItems(items: DrillItem[]): string[] {
  return items.flatMap((item) => [
    ...(item.verdict === 'failed' ? [`${nameOf(item)} failed: ${item.why[0] ?? 'see its record.'}`] : []),
    ...(item.verdict !== 'failed' && (item.rto?.met === false || item.rpo?.met === false)
      ? [`${nameOf(item)} missed its objective: ${item.why.join(' ')}`]
      : []),
  ]);
}

function doubtfulItems(items: DrillItem[]): string[] {
  const notReached = items.filter(({ state }) => state === 'not-reached');
  const unreadable = items.filter(({ state }) => state === 'unreadable');
  const rest = items.filter(({ state, verdict }) => (state === 'verified' || state === 'still-valid') && verdict !== 'failed');
  return [
    ...unreadable.map((item) => `${nameOf(item)} could not be verified: ${item.why.join(' ')}`),
    ...rest.filter(({ verdict }) => verdict !== 'passed').map((item) => `${nameOf(item)} is inconclusive: ${item.why[0] ?? 'see its record.'}`),
    ...rest.filter(unmeasured).map((item) => `${nameOf(item)}: ${item.why.join(' ')}`),
    ...(notReached.length > 0 ? [`${count(notReached.length, 'restore point was', 'restore points were')} not reached.`] : []),
    ...(items.length === 0 ? ['There was nothing to verify.'] : []),
  ];
}

function unmeasured(item: DrillItem): boolean {
  if (item.verdict !== 'passed' || item.rto?.met === false || item.rpo?.met === false) return false;
  return item.rto?.met === null || item.rpo?.met === null || item.why.some((text) => text.startsWith(REQUIRED_WORDS));
}

function doubtfulControls({ controls, withControls }: DrillFacts): string[] {
  if (!withControls) return [];
  if (controls.length === 0) return ['No control was verified.'];
  return controls.filter((control) => !contradicts(control) && !asExpected(control)).map(({ name, why }) => `The control ${name} says nothing: ${why}`);
}

function overdueWords({ machine, lastProvenAt, dueEverySeconds }: OverdueMachine): string {
  const since = lastProvenAt === null ? 'was never proven' : `was last proven at ${lastProvenAt}`;
  return `${machine} is overdue: it ${since}, and has to be every ${durationWords(dueEverySeconds)}.`;
}

function passedWords(items: DrillItem[]): string {
  const valid = items.filter(({ state }) => state === 'still-valid').length;
  return `${count(items.length, 'restore point')} passed${valid > 0 ? `, ${valid} of them by a record that still holds` : ''}.`;
}

function nameOf({ machine, takenAt, path }: DrillItem): string {
  return takenAt === null ? `${machine} (${path})` : `${machine} of ${takenAt}`;
}
