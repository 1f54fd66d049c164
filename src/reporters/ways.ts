/** Both ways back, as far as they were tried: what came of each, how long it took, and what it means where they differ. */
import type { ChalkInstance } from 'chalk';
import type { LifeState, WayResult } from '../ways.js';
import { verdictStyle } from './colour.js';
import { visible } from './escape.js';
import type { Page } from './terminal.js';
import { wrap } from './text.js';
import { formatSeconds } from './units.js';

export const WAY_TITLES: Record<WayResult['way'], string> = { resume: 'resume from memory', boot: 'cold boot' };
const COLUMN = 22;

export const STATE_WORDS: Record<LifeState, string> = {
  alive: 'alive',
  'alive-idle': 'alive, idle',
  'alive-busy': 'alive, busy',
  panicked: 'panicked',
  'hard-hang': 'hung (hard)',
  'soft-hang': 'hung (soft)',
  'partial-hang': 'hung in part',
  'io-hang': 'hung on its disks',
  'dead-halt': 'halted for good',
  'boot-loop': 'restarts for ever',
  'stuck-in-loader': 'stuck in its boot loader',
  'no-boot-device': 'finds no disk to boot from',
  'emergency-shell': 'in an emergency shell',
  'needs-passphrase': 'waits for a passphrase',
  unknown: 'not decided',
};

/** Empty when neither was tried. Records of earlier versions know of none. */
export function waysSection({ record, width, paint }: Page): string[] {
  const ways = (record.ways as WayResult[] | undefined) ?? [];
  if (ways.length === 0) return [];
  const meaning = difference(ways);
  return [paint.bold('Ways back, tried'), ...ways.flatMap((way) => row(way, width, paint)), ...(meaning ? wrap(meaning, { width, first: '  ' }) : [])];
}

function row(result: WayResult, width: number, paint: ChalkInstance): string[] {
  const state = STATE_WORDS[result.state];
  const [head = '', ...rest] = wrap(`${state}${timeOf(result)}`, { width, first: `  ${WAY_TITLES[result.way]}`.padEnd(COLUMN), rest: ' '.repeat(COLUMN) });
  return [head.replace(state, verdictStyle(paint, result.verdict)(state)), ...rest, ...wrap(visible(result.why), { width, first: ' '.repeat(COLUMN) })];
}

function timeOf({ secondsToService, accelerator }: WayResult): string {
  if (secondsToService === null) return '';
  const slow = accelerator === 'tcg' ? ', emulated: a restore on real hardware is many times faster' : '';
  return `, at work after ${formatSeconds(secondsToService)} (measured here${slow})`;
}

/** What it means for whoever must restore. */
export function difference(ways: readonly WayResult[]): string | null {
  const verdictOf = (wanted: WayResult['way']): WayResult['verdict'] | undefined => ways.find(({ way }) => way === wanted)?.verdict;
  const [resume, boot] = [verdictOf('resume'), verdictOf('boot')];
  if (resume === undefined || boot === undefined || resume === boot) return null;
  if (boot === 'passed')
    return `The two differ: restore the disks and start the machine cold; what ran in its memory is ${resume === 'failed' ? 'lost' : 'not proven'}.`;
  if (resume === 'passed') return 'The two differ: it goes on from its memory, but would not come back after being switched off. Mend that while it runs.';
  return null;
}
