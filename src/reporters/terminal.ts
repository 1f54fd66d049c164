/** The report of one record for people: verdict first, then why, what to do, and only then the rest. */
import type { ChalkInstance } from 'chalk';
import type { VerificationRecord } from '../types.js';
import { palette, verdictStyle } from './colour.js';
import { visible } from './escape.js';
import { withoutFolder } from './folder.js';
import { instancesSection } from './instances.js';
import { checksSection, cleanupSection, coverageSections, deviationsSection } from './sections.js';
import { wrap } from './text.js';
import { formatBytes, formatInstant, formatSeconds } from './units.js';
import { waysSection } from './ways.js';
import { whatToDo, whySection } from './why.js';
import { CONSISTENCY_MEANING, declaredSentence, recoverySentence, VERDICT_MEANING } from './words.js';

export interface RenderOptions {
  color: boolean;
  /** Columns; default 80, at least 60. */
  width?: number;
  /** Where the record lies, such as the path of the ledger; left out when it was not stored. */
  storedAt?: string;
}

const MOST_WHYS = 5;

/** What every section needs to know. */
export interface Page {
  record: VerificationRecord;
  /** Of all files of the restore point; empty when they have none in common. */
  folder: string;
  width: number;
  paint: ChalkInstance;
}

/** Ends with a line feed. Guest strings are made harmless; without colour there is no escape sequence in it. */
export function renderRecord(record: VerificationRecord, options: RenderOptions): string {
  const page: Page = { ...withoutFolder(record), width: Math.max(options.width ?? 80, 60), paint: palette(options.color) };
  const sections = [
    headline(page),
    facts(page),
    whySection(page),
    whatToDo(page),
    wayBack(page),
    waysSection(page),
    instancesSection(page),
    checksSection(page),
    ...coverageSections(page),
  ];
  const last = [deviationsSection(page), cleanupSection(page), whereItLies(page, options.storedAt)];
  const lines = [...sections, ...last].filter((section) => section.length > 0).map((section) => section.join('\n'));
  return `${lines.join('\n\n')}\n`;
}

function headline({ record, width, paint }: Page): string[] {
  const word = record.verdict.toUpperCase();
  const lines = wrap(`${word}: ${VERDICT_MEANING[record.verdict]}`, { width });
  return lines.map((line, index) => (index === 0 ? line.replace(word, verdictStyle(paint, record.verdict)(word)) : line));
}

function facts({ record, folder, width }: Page): string[] {
  const { id, machine, takenAt, files } = record.restorePoint;
  const named = files.map(({ path, format, sizeBytes }) => `${visible(path)} (${visible(format)}, ${formatBytes(sizeBytes)})`);
  return [
    ...fact('Machine', visible(machine), width),
    ...fact('Restore point', `${visible(id)}, ${takenAt ? `taken ${formatInstant(visible(takenAt))}` : 'when it was taken is not known'}`, width),
    ...(folder ? fact('Folder', visible(folder), width) : []),
    ...named.flatMap((name, index) => fact(index === 0 ? 'Files' : '', name, width)),
    ...fact('Tested', `${formatInstant(visible(record.startedAt))}, took ${formatSeconds(record.durationMs / 1000)}`, width),
  ];
}

/** Consistency and recovery effort belong together: what state it was, and what that costs on the way back. */
function wayBack({ record, width, paint }: Page): string[] {
  const { consistency, recovery } = record;
  const declared = declaredSentence(consistency);
  // What failed was said at the top already.
  const why = consistency.why.filter((text) => !record.reasons.includes(text));
  const aside = why.length < consistency.why.length ? ' (see Why)' : '';
  const reasons = why.slice(0, MOST_WHYS).flatMap((text) => wrap(visible(text), { width, first: '    - ' }));
  return [
    paint.bold('State at capture and way back'),
    ...wrap(`${CONSISTENCY_MEANING[consistency.observed]}${aside}. ${declared}`.trimEnd(), { width, first: '  ' }),
    ...reasons,
    ...(why.length > MOST_WHYS ? [`    - and ${why.length - MOST_WHYS} more, in the record`] : []),
    ...wrap(recoverySentence(recovery, record.verdict !== 'inconclusive'), { width, first: '  ' }),
  ];
}

function whereItLies({ record, width }: Page, storedAt: string | undefined): string[] {
  const place = storedAt ? `, stored in ${visible(storedAt)}` : '';
  return wrap(`Record ${visible(record.id)}${place}.`, { width });
}

function fact(name: string, text: string, width: number): string[] {
  return wrap(text, { width, first: name.padEnd(15) });
}
