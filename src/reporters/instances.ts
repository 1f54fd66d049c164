/** The databases of a record, worst first: state, why, the place, and what the way back costs. */
import type { ChalkInstance } from 'chalk';
import type { InstanceResult, InstanceState } from '../types.js';
import { visible } from './escape.js';
import type { Page } from './terminal.js';
import { wrap } from './text.js';
import { formatBytes, formatSeconds } from './units.js';

const WORST_FIRST: InstanceState[] = ['damaged', 'non-atomic', 'lost-tail', 'unknown', 'recoverable', 'clean'];
const STATE_COLUMNS = Math.max(...WORST_FIRST.map((state) => state.length)) + 4;
/** A guest may hold hundreds of small databases; the record has all. */
const MOST_TOLD = 20;

/** Empty when there is no database. Records of earlier versions name none. */
export function instancesSection({ record, width, paint }: Page): string[] {
  const sorted = worstFirst((record.instances as InstanceResult[] | undefined) ?? []);
  if (sorted.length === 0) return [];
  const more = sorted.slice(MOST_TOLD);
  return [
    `${paint.bold('Databases')}: ${stateCounts(sorted)}`,
    ...sorted.slice(0, MOST_TOLD).flatMap((instance) => rows(instance, width, paint)),
    ...(more.length > 0 ? [`  and ${more.length} more (${stateCounts(more)}), in the record`] : []),
  ];
}

export function worstFirst(instances: readonly InstanceResult[]): InstanceResult[] {
  return [...instances].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
}

/** `1 damaged, 3 recoverable`. */
export function stateCounts(instances: InstanceResult[]): string {
  const told = WORST_FIRST.map((state) => ({ state, number: instances.filter((instance) => instance.state === state).length }));
  return told
    .filter(({ number }) => number > 0)
    .map(({ state, number }) => `${number} ${state}`)
    .join(', ');
}

function rows(instance: InstanceResult, width: number, paint: ChalkInstance): string[] {
  const indent = ' '.repeat(STATE_COLUMNS);
  const [head = '', ...rest] = wrap(visible(instance.id), { width, first: `  ${instance.state}`.padEnd(STATE_COLUMNS), rest: indent });
  const place = Object.entries(instance.where).map(([name, value]) => visible(`${name} ${value}`));
  return [
    head.replace(instance.state, styleOf(paint, instance.state)(instance.state)),
    ...rest,
    ...wrap(visible(instance.why), { width, first: indent }),
    ...(place.length > 0 ? wrap(`place: ${place.join(', ')}`, { width, first: indent }) : []),
    ...effort(instance).flatMap((text) => wrap(text, { width, first: indent })),
  ];
}

/** Nobody gets back what is damaged by replaying a log, so its length would mislead. */
export function effort({ state, recovery: { seconds, bytes } }: InstanceResult): string[] {
  if (state === 'damaged' || state === 'non-atomic' || (bytes === 0 && seconds === null)) return [];
  const time = seconds === null ? '' : `, ${formatSeconds(seconds)} (measured here)`;
  return [`way back: ${bytes > 0 ? `${formatBytes(bytes)} of log` : 'its log'}${time}`];
}

function styleOf(paint: ChalkInstance, state: InstanceState): ChalkInstance {
  if (state === 'clean' || state === 'recoverable') return paint.green;
  return state === 'unknown' ? paint.yellow : paint.red;
}
