/** A plan for people: machine by machine, the oldest first, each with why it stays or may go. */
import type { Applied } from '../../gate/retain/apply.js';
import { byMachine, type PlannedPoint, type RetainPoint } from '../../gate/retain/plan.js';
import type { RetainPlan } from '../../gate/retain/retain.js';
import { byMoment } from '../../gate/retain/rules.js';
import { visible } from '../../reporters/escape.js';
import { wrap } from '../../reporters/text.js';
import { count, formatInstant } from '../../reporters/units.js';

export function renderPlan({ planned }: RetainPlan, applied: Applied | null, width: number): string {
  const of = new Map(planned.map((one) => [one.point, one]));
  const machines = byMachine(planned.map(({ point }) => point));
  const lines = machines.flatMap((group) => [
    `${visible(group[0]?.machine ?? '')}:`,
    ...[...group].sort(byMoment).flatMap((point) => pointLines(point, of.get(point), width)),
  ]);
  return `${[...lines, ...outcome(planned, applied)].join('\n')}\n`;
}

function pointLines(point: RetainPoint, planned: PlannedPoint | undefined, width: number): string[] {
  if (!planned) return [];
  const proof = point.proven ? `proven by ${point.proof}` : `not proven: ${point.proof}`;
  const head = `  ${planned.goes ? 'may go' : 'stays '}  ${point.takenAt === null ? 'unknown time' : formatInstant(point.takenAt)}  ${visible(point.path)}`;
  return [head, ...[...planned.why, proof].flatMap((text) => wrap(visible(text), { width, first: '          ' }))];
}

function outcome(planned: PlannedPoint[], applied: Applied | null): string[] {
  const going = planned.filter(({ goes }) => goes).length;
  const plan = `${going} of ${count(planned.length, 'restore point')} may go.`;
  if (!applied) return [going === 0 ? plan : `${plan} Nothing was removed: that takes --apply.`];
  const done = applied.removals.filter(({ exitCode }) => exitCode === 0).length;
  return [`${plan} The command was run for ${done} of them.`, ...(applied.stopped ? [`Stopped: ${visible(applied.stopped.why)}`] : [])];
}
