/** Which documents of a ledger go into an archive. Pure. */
import type { LedgerDocument } from '../../documents.js';
import { UsageError } from '../../errors.js';
import { isKind } from '../../ledger/index.js';
import type { ArchiveManifest } from './manifest.js';

export type Selection = ArchiveManifest['selection'];

/** Of keys and time stamps all are needed, whenever they came: without them nothing else can be verified. */
const ALWAYS = ['key', 'timestamp'] as const;

/**
 * @param ids of documents that were chosen before: sign-offs about them belong to them, whenever they were made
 * @param appendedAt ISO 8601, UTC
 */
export function selects({ from, to, machine }: Selection, document: LedgerDocument, appendedAt: string, ids: ReadonlySet<string>): boolean {
  if (ALWAYS.some((kind) => isKind(document, kind))) return true;
  if (isKind(document, 'sign-off') && ids.has(document.about)) return true;
  const inTime = (from === null || appendedAt >= from) && (to === null || appendedAt <= to);
  return inTime && (machine === null || isAbout(document, machine));
}

function isAbout(document: LedgerDocument, machine: string): boolean {
  if (isKind(document, 'record')) return document.restorePoint.machine === machine;
  return isKind(document, 'drill') && document.items.some((item) => item.machine === machine);
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day or an instant, as `--from` and `--to` take it; a day means all of it, in UTC. @throws UsageError */
export function boundOf(text: string | undefined, option: '--from' | '--to'): string | null {
  if (text === undefined) return null;
  const whole = DAY.test(text) ? `${text}T${option === '--from' ? '00:00:00.000' : '23:59:59.999'}Z` : text;
  const at = new Date(whole);
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(whole) && !Number.isNaN(at.getTime()) && isCalendar(text)) return at.toISOString();
  throw new UsageError({
    code: 'usage.time',
    message: `${option} does not know "${text}".`,
    advice: 'Give a day (2026-11-30) or an instant (2026-11-30T12:00:00Z).',
  });
}

/** JavaScript takes the 31st of February for a day in March. */
function isCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
