/** Spans and times of day as policies write them. */
import { UsageError } from '../../errors.js';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** `90m` to 5400. @throws UsageError for what is no duration. */
export function durationSeconds(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  if (!match) throw new UsageError({ code: 'usage.duration', message: `"${text}" is no duration`, advice: 'Write 30s, 90m, 26h, 7d or 2w.' });
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
}

/** `6 hours`, `7 days`: the largest unit that leaves no rest. */
export function durationWords(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ];
  const [size, word] = units.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 'second'];
  const number = Math.round(seconds / size);
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/**
 * When a drill that begins at `start` has to end: the next moment with this time of day by the host's clock, or so long after.
 * @param deadline `06:00` or `5h`
 */
export function deadlineAfter(start: Date, deadline: string): Date {
  const clock = /^(\d\d):(\d\d)$/.exec(deadline);
  if (!clock) return new Date(start.getTime() + durationSeconds(deadline) * 1000);
  const end = new Date(start);
  end.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
  if (end <= start) end.setDate(end.getDate() + 1);
  return end;
}
