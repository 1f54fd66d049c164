/** The two horizontal axes there are: time of a run, and days. */
import { formatInstant, formatSeconds } from '../units.js';
import type { Axis } from './line-chart.js';
import { secondTicks } from './scale.js';

/** Seconds since a start. */
export function runAxis(mostSeconds: number): Axis {
  const ticks = secondTicks(mostSeconds).map((at) => ({ at, label: clock(at, mostSeconds) }));
  return { from: 0, to: Math.max(mostSeconds, 1), ticks, name: 'After', say: formatSeconds };
}

function clock(seconds: number, most: number): string {
  if (most < 120) return `${seconds} s`;
  if (most < 7200) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return `${Number((seconds / 3600).toPrecision(3))} h`;
}

const DAY_MS = 86_400_000;

/** Instants, in milliseconds since 1970; UTC. */
export function dateAxis(instants: readonly number[]): Axis {
  const [from, to] = [Math.min(...instants), Math.max(...instants)];
  const long = to - from > 2 * DAY_MS;
  const label = (at: number): string => (long ? new Date(at).toISOString().slice(0, 10) : new Date(at).toISOString().slice(11, 16));
  const ticks = to - from < 60_000 ? [from] : [from, (from + to) / 2, to];
  return { from, to, ticks: ticks.map((at) => ({ at, label: label(at) })), name: 'Tested', say: (at) => formatInstant(new Date(at).toISOString()) };
}
