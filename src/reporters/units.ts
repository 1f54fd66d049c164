/** Sizes, times and instants as a person says them. */
export { count } from '../words.js';

const SIZES = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Powers of 1000, three digits at most: `12 MB`, `1.5 GB`, `1 byte`. */
export function formatBytes(bytes: number): string {
  if (bytes === 1) return '1 byte';
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${digits(value, unit === 0)} ${SIZES[unit]}`;
}

/** Both numbers in the unit of the whole: `312 of 628 MB`. */
export function formatBytesOf(done: number, total: number): string {
  const [, unit = 'bytes'] = formatBytes(total).split(' ');
  const power = Math.max(0, (SIZES as readonly string[]).indexOf(unit));
  const [number = ''] = formatBytes(total).split(' ');
  return `${digits(Math.min(done, total) / 1000 ** power, power === 0)} of ${number} ${unit}`;
}

/** `under 0.1 s`, `0.4 s`, `6 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.05) return 'under 0.1 s';
  if (seconds < 9.95) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

/** `2026-11-20 01:30 UTC`; what is no instant stays as it is. */
export function formatInstant(instant: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z$/.exec(instant);
  return match ? `${match[1]} ${match[2]} UTC` : instant;
}

function digits(value: number, whole: boolean): string {
  return whole || value >= 9.95 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, '');
}
