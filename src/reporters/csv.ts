/**
 * CSV (RFC 4180) for spreadsheets: one row for each verdict, each check, and each thing that was not tested, told apart by `kind`, so that no
 * sum over the file takes silence for a pass. Spreadsheets run cells that begin with certain characters as formulas (OWASP, "CSV injection"):
 * those get an apostrophe.
 */
import type { CheckResult, UntestedItem, VerificationRecord } from '../types.js';
import type { Dossier, DrillDossier } from './dossier.js';
import { wordOf } from './drill-words.js';
import { visible } from './escape.js';

const COLUMNS = [
  'kind',
  'drill',
  'machine',
  'restore_point',
  'taken_at',
  'tested_at',
  'record',
  'verdict',
  'name',
  'target',
  'outcome',
  'required',
  'summary',
  'seconds',
];
type Cell = string | number | boolean | null;

export function renderCsv(dossier: Dossier): string {
  const rows = dossier.kind === 'drill' ? drillRows(dossier) : recordRows(dossier.document, '');
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function drillRows({ drill, records }: DrillDossier): Cell[][] {
  const items = drill.items.flatMap((item): Cell[][] => {
    const record = records.get(item.recordId ?? '')?.document;
    if (record) return recordRows(record, drill.id);
    const why = item.why.join(' ');
    return [
      ['verdict', drill.id, item.machine, item.restorePoint, item.takenAt, null, item.recordId, item.verdict, '', item.path, wordOf(item), true, why, null],
    ];
  });
  const controls = drill.controls.map(({ name, damage, recordId, verdict, rejected, why }): Cell[] => {
    return ['control', drill.id, '', name, null, null, recordId, verdict, name, damage, rejected ? 'rejected' : 'not rejected', true, why, null];
  });
  return [...items, ...controls];
}

function recordRows(record: VerificationRecord, drill: string): Cell[][] {
  const { restorePoint, startedAt, id, verdict, reasons, durationMs } = record;
  const head = (kind: string): Cell[] => [kind, drill, restorePoint.machine, restorePoint.id, restorePoint.takenAt, startedAt, id, verdict];
  return [
    [...head('verdict'), '', '', verdict, true, reasons.join(' '), durationMs / 1000],
    ...record.checks.map((check: CheckResult) => [
      ...head('check'),
      ...[check.id, check.target, check.outcome, check.required, check.summary, check.durationMs / 1000],
    ]),
    ...record.coverage.untested.map(({ what, why, holdsData }: UntestedItem) => [...head('untested'), '', what, 'untested', holdsData, why, null]),
  ];
}

function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const shown = visible(value);
  const safe = /^[\s]*[=+\-@|%]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
