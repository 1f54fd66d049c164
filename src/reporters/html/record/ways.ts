/** Both ways back: what came of each, how far a boot came and when, what was seen meanwhile. */
import type { BootStage, Way, WayResult } from '../../../ways.js';
import type { RecordDossier } from '../../dossier.js';
import { type Activity, activityOf, type Timeline, timelineOf } from '../../progress-series.js';
import { formatSeconds } from '../../units.js';
import { difference, STATE_WORDS, WAY_TITLES } from '../../ways.js';
import { badge, toneOfVerdict } from '../icons.js';
import { facts, listed } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';
import { screens } from './screens.js';
import { wayCharts } from './way-charts.js';

const STAGES: BootStage[] = ['firmware', 'loader', 'kernel', 'user-space', 'service', 'login'];
const STAGE_WORDS: Record<BootStage, string> = {
  firmware: 'Firmware',
  loader: 'Boot loader',
  kernel: 'Kernel',
  'user-space': 'User space',
  service: 'A service answers',
  login: 'Login',
};

export function ways(dossier: RecordDossier): Value {
  const { record } = dossier;
  const met = new Set<Way>(record.ways.map(({ way }) => way));
  const untried = (['resume', 'boot'] as const).filter((way) => !met.has(way));
  const meaning = difference(record.ways);
  const open = record.coverage.untested;
  const why = (way: Way): Value =>
    open.filter(({ what }) => (way === 'boot' ? /boot/i : /resum|saved (memory|ram)/i).test(what)).map((one) => html` ${one.why}.`);
  return html`${meaning && html`<p><strong>${meaning}</strong></p>`}${record.ways.map((way) => oneWay(way, dossier))}${untried.map(
    (way) => html`<p class="note">Not tried: ${WAY_TITLES[way]}.${why(way)}</p>\n`,
  )}`;
}

function oneWay(result: WayResult, { record, artefacts }: RecordDossier): Markup {
  const kept = (name: string): Uint8Array | undefined => {
    const artefact = record.artefacts.find((one) => one.name === `${result.way}/${name}`);
    return artefact && artefacts.get(artefact.sha256);
  };
  const activity = activityOf(kept('progress.json'));
  const timeline = timelineOf(kept('timeline.json'));
  const tone = toneOfVerdict(result.verdict);
  return html`<article class="card way ${tone}" id="way-${result.way}"><h3>${capital(WAY_TITLES[result.way] ?? result.way)} ${badge(tone, result.verdict)}</h3>
${facts([
  ['State', STATE_WORDS[result.state] ?? result.state],
  ['Why', result.why],
  ['At work after', atWork(result)],
  ['Ran', result.accelerator === 'kvm' ? 'on the processor itself (KVM), at the speed of a restore' : EMULATED],
])}
${result.way === 'boot' && stages(timeline, activity)}
${probes(timeline)}
${wayCharts(result.way, activity, timeline)}
${screens(result.way, record, artefacts, timeline)}</article>
`;
}

const EMULATED = 'by software emulation, many times slower than on real hardware: its times are no restore times';

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function atWork({ secondsToService, guestSecondsToService }: WayResult): string {
  if (secondsToService === null) return 'It never came to that.';
  const guest = guestSecondsToService === null ? '' : ` (${formatSeconds(guestSecondsToService)} on the clock of the guest)`;
  return `${formatSeconds(secondsToService)}${guest}, measured here`;
}

function stages(timeline: Timeline | null, activity: readonly Activity[]): Value {
  if (!timeline || timeline.stages.length === 0)
    return activity.length > 0 && html`<p class="note">When it reached which stage of the boot was not kept by the version that made this record.</p>`;
  const reached = new Map(timeline.stages.map(({ stage, atSeconds }) => [stage, atSeconds]));
  const item = (stage: BootStage): Markup => {
    const at = reached.get(stage);
    return html`<li class="${at === undefined ? 'never' : 'reached'}"><span class="name">${STAGE_WORDS[stage]}</span><span class="when">${at === undefined ? 'not seen' : `after ${formatSeconds(at)}`}</span></li>\n`;
  };
  return html`<h4>Stages of the boot</h4><ol class="stages">${STAGES.map(item)}</ol>`;
}

function probes(timeline: Timeline | null): Value {
  const all = timeline?.probes ?? [];
  if (all.length === 0) return null;
  const one = ({ atSeconds, answered, what }: Timeline['probes'][number]): Markup =>
    html`<li>${badge(answered ? 'ok' : 'none', answered ? 'answered' : 'no answer')} <span class="how">after ${formatSeconds(atSeconds)}</span> ${what}</li>\n`;
  return html`<h4>What was tried, and what came back</h4><ul class="plain">${listed(all, 60, one)}</ul>`;
}
