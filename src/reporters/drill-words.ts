/** A drill in words and numbers, for every format. */
import type { DrillDocument, DrillItem, DrillVerdict } from '../documents.js';
import { count, formatSeconds } from './units.js';

export const DRILL_MEANING: Record<DrillVerdict, string> = {
  passed: 'Every restore point that was chosen is proven, and every known-bad one was rejected.',
  failed: 'At least one restore point cannot be relied on.',
  inconclusive: 'No restore point was found bad, but not all of them are proven.',
  void: 'A known-bad restore point was not rejected: nothing that this drill says counts.',
};

export interface Tally {
  passed: number;
  failed: number;
  inconclusive: number;
  /** Not reached, or not readable. */
  open: number;
}

export function tallyOf({ items }: DrillDocument): Tally {
  const of = (verdict: string): number => items.filter((item) => decided(item) && item.verdict === verdict).length;
  const [passed, failed, inconclusive] = [of('passed'), of('failed'), of('inconclusive')];
  return { passed, failed, inconclusive, open: items.length - passed - failed - inconclusive };
}

const decided = ({ state }: DrillItem): boolean => state === 'verified' || state === 'still-valid';

/** `12 passed, 1 failed, 2 not verified`. */
export function tallyText({ passed, failed, inconclusive, open }: Tally): string {
  const parts = [
    [passed, 'passed'],
    [failed, 'failed'],
    [inconclusive, 'inconclusive'],
    [open, 'not verified'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return told.join(', ') || 'nothing was chosen';
}

/** Verdict of an item, or why it has none. */
export function wordOf({ state, verdict }: DrillItem): string {
  const words: Record<string, string> = { 'not-reached': 'not reached', unreadable: 'not readable' };
  return words[state] ?? verdict ?? 'no verdict';
}

const RANK = ['failed', 'not readable', 'inconclusive', 'not reached', 'no verdict', 'passed'];

export function worstItemsFirst(items: readonly DrillItem[]): DrillItem[] {
  return [...items].sort((a, b) => RANK.indexOf(wordOf(a)) - RANK.indexOf(wordOf(b)));
}

/** It needs somebody: not proven, or late. */
export function needsSomebody(item: DrillItem): boolean {
  return wordOf(item) !== 'passed' || item.rto?.met === false || item.rpo?.met === false;
}

export function boundText(bound: DrillItem['rto']): string {
  if (bound === null) return '';
  const limit = formatSpan(bound.limitSeconds);
  if (bound.measuredSeconds === null) return `not measured, limit ${limit}`;
  return `${formatSpan(bound.measuredSeconds)} of ${limit}${bound.met === null ? '' : bound.met ? ', met' : ', missed'}`;
}

/** Days where hours would not be read: `3 d 4 h`. */
export function formatSpan(seconds: number): string {
  if (!(seconds >= 172_800)) return formatSeconds(seconds);
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ''}`;
}

export function itemTotals(drill: DrillDocument): string {
  return `${count(drill.items.length, 'restore point')}: ${tallyText(tallyOf(drill))}.`;
}
