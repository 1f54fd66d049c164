/** Rules of retention as backup programs have them: the last few, and the last of each day, week, month and year (UTC). Pure. */
import type { RetainPoint } from './plan.js';

export interface RetentionRules {
  last: number;
  daily: number;
  /** Weeks of ISO 8601: they begin on Monday. */
  weekly: number;
  monthly: number;
  yearly: number;
  /** Everything that was taken so long before the newest restore point; null: no such rule. */
  withinMs: number | null;
}

export const NO_RULES: RetentionRules = { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinMs: null };

export interface Selected {
  point: RetainPoint;
  rule: string;
}

/** The oldest first; equal moments in an order that does not depend on the input. */
export function byMoment(a: RetainPoint, b: RetainPoint): number {
  return momentOf(a) - momentOf(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** @param points of one machine, all with a known time, the oldest first */
export function selected(points: RetainPoint[], rules: RetentionRules): Selected[] {
  const newestFirst = [...points].reverse();
  return [
    ...newestFirst.slice(0, rules.last).map((point) => ({ point, rule: `one of the last ${rules.last}` })),
    ...ofPeriods(
      newestFirst,
      rules.daily,
      (at) => at.toISOString().slice(0, 10),
      (day) => `the last of ${day}`,
    ),
    ...ofPeriods(newestFirst, rules.weekly, isoWeek, (week) => `the last of week ${week}`),
    ...ofPeriods(
      newestFirst,
      rules.monthly,
      (at) => at.toISOString().slice(0, 7),
      (month) => `the last of ${month}`,
    ),
    ...ofPeriods(
      newestFirst,
      rules.yearly,
      (at) => at.toISOString().slice(0, 4),
      (year) => `the last of ${year}`,
    ),
    ...within(newestFirst, rules.withinMs),
  ];
}

/** The newest of each of the last so many periods that have any. */
function ofPeriods(newestFirst: RetainPoint[], most: number, periodOf: (at: Date) => string, rule: (period: string) => string): Selected[] {
  const found = new Map<string, RetainPoint>();
  for (const point of newestFirst) {
    const period = periodOf(new Date(momentOf(point)));
    if (found.size < most && !found.has(period)) found.set(period, point);
  }
  return [...found].map(([period, point]) => ({ point, rule: rule(period) }));
}

/** Counted from the newest one, so that nothing goes for the sole reason that no backup comes any more. */
function within(newestFirst: RetainPoint[], withinMs: number | null): Selected[] {
  const [newest] = newestFirst;
  if (withinMs === null || !newest) return [];
  return newestFirst
    .filter((point) => momentOf(newest) - momentOf(point) <= withinMs)
    .map((point) => ({ point, rule: 'taken within the time that is kept whole' }));
}

/** `2026-W48` (ISO 8601): the week belongs to the year that has its Thursday. */
export function isoWeek(at: Date): string {
  const thursday = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  const week = Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7);
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function momentOf({ takenAt }: RetainPoint): number {
  const at = takenAt === null ? Number.NaN : Date.parse(takenAt);
  return Number.isNaN(at) ? Number.NEGATIVE_INFINITY : at;
}
