/** A drill in words for mails and pings. Names of machines come from elsewhere: nothing but printable characters leaves here. */
import type { DrillDocument } from '../../documents.js';
import { count } from '../../words.js';

const MAX_REASONS = 50;

/** One line, fit for a header. */
export function subjectOf({ verdict, name, items }: DrillDocument): string {
  const bad = items.filter((item) => item.verdict !== 'passed').length;
  return printable(`snapproof ${verdict.toUpperCase()}: ${name} (${count(items.length, 'restore point')}, ${bad} not passed)`);
}

/** Lines without line breaks inside, ended by `\n`. */
export function bodyOf(drill: DrillDocument): string {
  const reasons = drill.reasons.slice(0, MAX_REASONS).map((reason) => `- ${reason}`);
  if (reasons.length < drill.reasons.length) reasons.push(`- and ${drill.reasons.length - reasons.length} more`);
  const items = drill.items.map(({ machine, takenAt, state, verdict }) => `${verdict ?? state}  ${machine}  ${takenAt ?? ''}`);
  const head = [`Drill ${drill.name} (${drill.id}): ${drill.verdict}`, `From ${drill.startedAt} to ${drill.finishedAt}, by ${drill.operator}`];
  return [...head, '', ...reasons, '', ...items.slice(0, 1000)].map((line) => `${printable(line)}\n`).join('');
}

export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
