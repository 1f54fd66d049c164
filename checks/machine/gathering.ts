/** What is kept of a machine that was watched: the evidence to judge, and the logs for people. */
import type { Ending, LifeEvidence, ProbeResult } from './evidence.js';
import type { Plan } from './plan.js';
import { isOff, isSuspended } from './probes/power.js';
import { thinned } from './watch/thinned.js';
import type { Watch } from './watch/watch.js';

export async function evidenceOf(watch: Watch, plan: Plan, probes: ProbeResult[]): Promise<LifeEvidence> {
  const { machine } = watch;
  await keepLogs(watch, probes);
  return {
    ...{ way: machine.way, accelerator: machine.accelerator, refusal: '', ending: endingOf(watch) },
    ...{ looks: thinned(watch.looks), events: machine.events.slice(-MOST_EVENTS), probes },
    ...{
      recognised: watch.recognised,
      prompt: watch.prompt(),
      standing: watch.standing(),
      stages: watch.stages,
      artefacts: watch.kept,
      trouble: machine.trouble(),
    },
    ...{ encrypted: plan.encrypted, bootEntriesMissing: plan.bootEntriesMissing, deviations: machine.description.deviations },
  };
}

const MOST_EVENTS = 200;

function endingOf(watch: Watch): Ending {
  const { machine } = watch;
  if (isOff(watch)) return 'powered-off';
  if (isSuspended(watch)) return 'suspended';
  if (machine.trouble()?.kind === 'overlay-limit') return 'overlay-full';
  return 'stopped-by-us';
}

async function keepLogs(watch: Watch, probes: readonly ProbeResult[]): Promise<void> {
  const { machine } = watch;
  await watch.keepFile('serial.log', 'text/plain', Buffer.from(machine.serialText()));
  await watch.keepFile('events.json', 'application/json', Buffer.from(JSON.stringify(machine.events)));
  const series = watch.looks.map(({ screen, ...look }) => ({ ...look, screen: screen?.digest ?? null }));
  await watch.keepFile('progress.json', 'application/json', Buffer.from(JSON.stringify(series)));
  const timeline = {
    stages: watch.stages,
    probes: probes.map(({ kind, wallMs, guestMs, answered, what }) => ({ kind, wallMs, guestMs, answered, what })),
    screens: watch.screens,
  };
  await watch.keepFile('timeline.json', 'application/json', Buffer.from(JSON.stringify(timeline)));
}
