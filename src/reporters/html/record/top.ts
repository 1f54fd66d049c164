/** The verdict, and the numbers that somebody asks for first. */

import type { Way } from '../../../ways.js';
import type { FilledRecord } from '../../dossier.js';
import { stateCounts } from '../../instances.js';
import { count, formatBytes, formatSeconds } from '../../units.js';
import { STATE_WORDS } from '../../ways.js';
import { VERDICT_MEANING } from '../../words.js';
import { badge, sign, type Tone, toneOfVerdict } from '../icons.js';
import { type Figure, figures } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

export function verdictBox(tone: Tone, word: string, meaning: Value): Markup {
  return html`<div class="verdict ${tone}" role="group" aria-label="Verdict">${sign(tone)}<p class="word">${word.toUpperCase()}</p><p class="meaning">${meaning}</p></div>
`;
}

export function recordTop(record: FilledRecord): Markup {
  const meaning = VERDICT_MEANING[record.verdict] ?? '';
  return html`${verdictBox(toneOfVerdict(record.verdict), record.verdict, capital(meaning))}${figures([
    consistency(record),
    wayFigure(record, 'resume'),
    wayFigure(record, 'boot'),
    replay(record),
    databases(record),
    coverage(record),
  ])}
`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function consistency({ consistency: { observed, declared } }: FilledRecord): Figure {
  const same = declared === observed ? 'as declared' : `declared: ${declared}`;
  return { name: 'Consistency at capture', value: capital(observed), aside: declared === 'unknown' ? 'nothing was declared' : same };
}

function wayFigure({ ways }: FilledRecord, wanted: Way): Figure {
  const name = wanted === 'boot' ? 'Cold boot from the disks' : 'Resume from saved memory';
  const way = ways.find((one) => one.way === wanted);
  if (!way) return { name, value: 'Not tried' };
  const { secondsToService: seconds, accelerator, state, verdict } = way;
  const how = accelerator === 'tcg' ? 'emulated, far slower than a restore' : 'as fast as a restore';
  const value = seconds === null ? capital(STATE_WORDS[state] ?? state) : formatSeconds(seconds);
  return { name, value, aside: html`${badge(toneOfVerdict(verdict), verdict)}${seconds === null ? '' : `, at work after that time; ${how}`}` };
}

function replay({ recovery: { needed, bytes, seconds }, verdict }: FilledRecord): Figure {
  const name = 'To replay on the way back';
  if (!needed)
    return { name, value: verdict === 'inconclusive' ? 'Not known' : 'Nothing', aside: verdict === 'inconclusive' ? 'not everything was looked at' : null };
  return { name, value: bytes > 0 ? formatBytes(bytes) : 'Logs', aside: seconds > 0 ? `about ${formatSeconds(seconds)}, measured here` : 'time not measured' };
}

function databases({ instances }: FilledRecord): Figure {
  return { name: 'Databases', value: instances.length > 0 ? String(instances.length) : 'None found', aside: stateCounts(instances) };
}

function coverage({ coverage: { tested, untested } }: FilledRecord): Figure {
  const data = untested.filter(({ holdsData }) => holdsData).length;
  const open = data > 0 ? `${count(data, 'thing')} that may hold data` : 'nothing that is known to hold data';
  return { name: 'Not tested', value: String(untested.length), aside: `${open}; ${count(tested.length, 'thing')} tested` };
}
