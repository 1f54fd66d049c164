/** Makes the judgement of a way back from its decision: findings, what was proven and how, what was not. */
import type { Finding, Judgement, UntestedItem } from '../../src/types.js';
import type { LifeState, WayResult } from '../../src/ways.js';
import { type Decision, decide, type LifeOptions } from './decide/decide.js';
import type { LifeEvidence, ProbeResult } from './evidence.js';

export function evaluateLife(evidence: LifeEvidence, options: LifeOptions): Judgement {
  const decision = decide(evidence, options);
  const findings = [...findingsOf(evidence, decision), ...silentServices(evidence)];
  const what = WHAT[evidence.way];
  const base = { findings, way: wayOf(evidence, decision) };
  if (decision.verdict === 'passed')
    return { ...base, outcome: 'pass', summary: decision.why, tested: [{ what, how: howOf(evidence) }], untested: untestedServices(evidence) };
  if (decision.verdict === 'failed')
    return { ...base, outcome: 'fail', summary: decision.why, advice: ADVICE[evidence.way], tested: [{ what, how: howOf(evidence) }], untested: [] };
  const untested: UntestedItem[] = [{ what, why: decision.why, holdsData: true }];
  return { ...base, outcome: 'pass', summary: `Not decided: ${decision.why}`, tested: [], untested };
}

const WHAT = { resume: 'resuming from the saved memory', boot: 'a cold boot from the disks' } as const;

const ADVICE = {
  resume:
    'Do not rely on the saved memory: plan to boot this restore point from its disks instead, or restore an earlier one. Find out when the machine itself hung.',
  boot: 'Do not rely on this restore point for a cold start. Look at the kept screens and the serial log, and verify the restore point before it.',
} as const;

function findingsOf({ way, recognised, events }: LifeEvidence, { state, verdict, why }: Decision): Finding[] {
  const where = { way };
  const main: Finding = {
    code: `machine.${state}`,
    severity: verdict === 'failed' ? 'critical' : verdict === 'passed' ? 'info' : 'warning',
    message: why,
    where,
  };
  const complaints = recognised
    .filter(({ meaning }) => COMPLAINTS.has(meaning))
    .map(({ code, text, source, fresh }) => {
      const message = `The ${source === 'serial' ? 'serial line' : 'screen'} says${fresh ? '' : ', since before it was saved'}: ${text}`;
      return { code: `machine.text.${code}`, severity: 'warning' as const, message, where: { way, source } };
    });
  const restarts = events.filter(({ event, data }) => event === 'RESET' && data.guest === true).length;
  const restarted: Finding[] =
    restarts > 0 ? [{ code: 'machine.restarted', severity: 'warning', message: `The guest restarted itself ${restarts} times.`, where }] : [];
  return [main, ...complaints, ...restarted];
}

const COMPLAINTS = new Set(['panic', 'lockup', 'hung-task', 'io-error', 'emergency', 'loader-failed', 'no-boot-device']);

const isService = ({ kind }: ProbeResult): boolean => kind === 'service';

function silentServices({ probes, way }: LifeEvidence): Finding[] {
  const silent = probes.filter((probe) => isService(probe) && !probe.answered);
  return silent.map(({ what, required }) => ({ code: 'machine.service-silent', severity: required ? 'critical' : 'warning', message: what, where: { way } }));
}

/** Services that the guest is set up to offer, and that nobody asked for by name, do not decide; they are said. */
function untestedServices({ probes, way }: LifeEvidence): UntestedItem[] {
  const silent = probes.filter((probe) => isService(probe) && !probe.answered && !probe.required);
  return silent.map(({ what }) => ({ what: `a service after ${way === 'boot' ? 'the boot' : 'the resume'}`, why: what, holdsData: false }));
}

function howOf({ probes, accelerator, stages }: LifeEvidence): string {
  const answered = probes.filter((probe) => probe.answered).map(({ what }) => what);
  const how = accelerator === 'kvm' ? 'on the processor (KVM)' : 'by software emulation';
  const came = stages.at(-1);
  return [`started ${how}, closed off from every network`, ...(came ? [`it came to stage "${came.stage}"`] : []), ...answered].join('; ');
}

function wayOf(evidence: LifeEvidence, { verdict, state, why }: Decision): WayResult {
  const { way, accelerator } = evidence;
  const first = firstService(evidence, state);
  const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms / 100) / 10);
  return { way, verdict, state, why, secondsToService: seconds(first?.wallMs), guestSecondsToService: seconds(first?.guestMs), accelerator };
}

/** The first moment at which it surely did work for somebody outside: a service, else a login prompt, else any answer of a living guest. */
function firstService({ probes, stages }: LifeEvidence, state: LifeState): { wallMs: number; guestMs: number } | undefined {
  if (!state.startsWith('alive')) return undefined;
  const service = probes.find((probe) => isService(probe) && probe.answered);
  const login = stages.find(({ stage }) => stage === 'service' || stage === 'login');
  const any = probes.find(({ answered }) => answered);
  const answer = service ?? (login ? undefined : any);
  return answer ? { wallMs: answer.wallMs + (answer.afterMs ?? 0), guestMs: answer.guestMs + (answer.afterMs ?? 0) } : login;
}
