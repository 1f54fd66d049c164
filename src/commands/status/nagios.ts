/**
 * The text of a monitoring plugin: one line, performance data after `|`, then a line per machine that needs somebody.
 * Nagios Plugin Development Guidelines, "Plugin Output for Nagios" and "Performance data".
 */
import type { JudgedStatus, Level, Limits } from '../../gate/status.js';
import { visible } from '../../reporters/escape.js';
import { count } from '../../words.js';

/** Exit codes of that convention, which are not those of the other commands. */
export const NAGIOS_EXIT = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export function worstOf(statuses: JudgedStatus[]): Level {
  return (['critical', 'warning'] as const).find((level) => statuses.some((status) => status.level === level)) ?? 'ok';
}

export function renderNagios(statuses: JudgedStatus[], limits: Limits): string {
  const worst = worstOf(statuses);
  const bad = statuses.filter(({ level }) => level !== 'ok').sort((a, b) => Number(b.level === 'critical') - Number(a.level === 'critical'));
  const [first] = bad;
  const proven = statuses.length - bad.length;
  const summary = first ? `${proven} of ${count(statuses.length, 'machine')} proven; ${sentence(first)}` : `${count(statuses.length, 'machine')} proven`;
  const more = bad.slice(1).map((status) => plain(`${status.level.toUpperCase()}: ${sentence(status)}`));
  const data = statuses.flatMap((status) => performanceData(status, limits));
  return `${[`SNAPPROOF ${worst.toUpperCase()} - ${plain(summary)} | ${[...totals(statuses), ...data].join(' ')}`, ...more].join('\n')}\n`;
}

/** For what kept the ledger from being read. */
export function renderUnknown(message: string): string {
  return `SNAPPROOF UNKNOWN - ${plain(message)}\n`;
}

function sentence({ machine, why }: JudgedStatus): string {
  return `${machine}: ${why ?? 'proven'}`;
}

function totals(statuses: JudgedStatus[]): string[] {
  const number = (level: Level): number => statuses.filter((status) => status.level === level).length;
  return [`machines=${statuses.length}`, `proven=${number('ok')}`, `warning=${number('warning')}`, `critical=${number('critical')}`];
}

function performanceData({ machine, proven, ageMs }: JudgedStatus, { warnMs, criticalMs }: Limits): string[] {
  if (!proven || ageMs === null || Number.isNaN(ageMs)) return [];
  const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));
  return [
    `${label('age', machine)}=${seconds(ageMs)}s;${seconds(warnMs)};${seconds(criticalMs)};0`,
    ...Object.entries(proven.restoreSeconds).map(([way, value]) => `${label(way, machine)}=${value}s;;;0`),
    `${label('recovery', machine)}=${proven.recoverySeconds}s;;;0`,
    `${label('recovery_bytes', machine)}=${proven.recoveryBytes}B;;;0`,
  ];
}

/** In single quotes, which are doubled inside; an equals sign must not occur, and `|` would end the text. */
function label(what: string, machine: string): string {
  return `'${what}_${visible(machine).replaceAll("'", "''").replaceAll(/[=|]/g, '_')}'`;
}

/** `|` begins the performance data, so the text must not hold one. */
function plain(text: string): string {
  return visible(text).replaceAll('|', '/');
}
