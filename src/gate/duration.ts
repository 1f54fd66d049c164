/** Spans of time as people write them: `90m`, `24h`, `7d`, `2w`. */
import { UsageError } from '../errors.js';

const UNITS_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const PATTERN = /^(\d{1,9}(?:\.\d{1,3})?)([smhdw])$/;

/**
 * @param option what the span was given to, for the message: `--max-age`
 * @returns milliseconds
 * @throws UsageError
 */
export function parseDuration(text: string, option: string): number {
  const [, amount, unit] = PATTERN.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : UNITS_MS[unit];
  if (amount !== undefined && factor !== undefined) return Math.round(Number(amount) * factor);
  throw new UsageError({
    code: 'usage.duration',
    message: `${option} needs a number and a unit, not "${text}".`,
    advice: 'Such as 90m, 24h, 7d or 2w (s, m, h, d, w: seconds, minutes, hours, days, weeks).',
  });
}

/** The two largest units that say something: `6 d 4 h`, `35 min`, `12 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, 'h', minutes % 60, 'min');
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
