/** Judges the troubles in a kernel's log by whether they lasted when the memory was saved. */
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import type { MessageKind } from '../messages.js';
import type { KernelLogEvidence, Trouble } from './evidence.js';
import { stateOfTrouble, type TroubleState } from './lasting.js';

const WHAT: Record<MessageKind, string> = {
  panic: 'the kernel had panicked',
  oops: 'the kernel had met a fault of its own (oops)',
  'hung-task': 'a task had been blocked without end',
  'soft-lockup': 'a processor did not come loose from one piece of kernel code',
  'hard-lockup': 'a processor no longer took interrupts',
  'rcu-stall': 'a processor held up the whole kernel (RCU stall)',
  'io-error': 'a disk had reported errors',
  'fs-error': 'a file system had found damage in itself',
  'fs-stopped': 'a file system had stopped taking writes',
  'fs-remounted': '',
  'out-of-memory': 'memory had run out, and the kernel had ended a process',
};

const ADVICE =
  'Resuming this memory brings the machine back in that state: do not. The disks may still come back by a cold boot; use that, or an older restore point, and look at the running machine.';
/** Of tasks that cannot be woken: worth a word, and what the kernel itself calls hung. */
const LONG_WAIT_SECONDS = 20;
const HUNG_SECONDS = 120;
const MAX_NAMED = 5;
const LOG_OF = 'the log of the kernel in the saved memory';

export function judgeKernelLog(evidence: KernelLogEvidence): Judgement {
  if (!evidence.log) return withoutLog(evidence);
  const { log, release, panicCpu } = evidence;
  const groups = [...groupBySubject(evidence.troubles).values()].map((group) => ({ group, state: stateOfTrouble(group, evidence) }));
  const findings = groups.flatMap(({ group, state }) => findingOf(group, state, evidence));
  findings.push(...waitingTasks(evidence));
  if (panicCpu !== null && !groups.some(({ group }) => group[0]?.kind === 'panic')) findings.unshift(panickedProcessor(panicCpu));
  const worst = findings.find(({ severity }) => severity === 'critical');
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  const told = `${count(log.records, 'message')} of Linux ${release} (${span(log.firstSeconds, log.lastSeconds)})`;
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst
      ? worst.message
      : warnings > 0
        ? `${LOG_OF} tells of ${count(warnings, 'trouble')}, none of which is known to have lasted until the save`
        : `${LOG_OF} tells of no trouble`,
    findings,
    ...(worst ? { advice: ADVICE } : {}),
    tested: [{ what: LOG_OF, how: `${told}, read from its own buffer` }],
    untested: groups.flatMap(({ group, state }) => (state === 'unclear' && group[0] ? [undecided(group[0])] : [])),
  };
}

/** Text that stands anywhere in memory may be of another boot or another machine: it proves nothing. */
function withoutLog({ why, release, loose }: KernelLogEvidence): Judgement {
  const reason = release === null ? why : `the log of Linux ${release} was not found where it should be`;
  const findings = loose.map((text): Finding => {
    const message = `the saved memory holds the text "${text}"; whether it is of this run of the machine cannot be told`;
    return { code: 'memory.text', severity: 'warning', message, where: { memory: 'anywhere' } };
  });
  return {
    outcome: 'pass',
    summary:
      loose.length > 0 ? `${LOG_OF} cannot be read, but ${count(loose.length, 'message')} that may be of it tell of trouble` : `${LOG_OF} cannot be read`,
    findings,
    tested: [],
    untested: [{ what: LOG_OF, why: reason, holdsData: loose.length > 0 }],
  };
}

function groupBySubject(troubles: Trouble[]): Map<string, Trouble[]> {
  const groups = new Map<string, Trouble[]>();
  for (const trouble of troubles) {
    const key = `${trouble.kind} ${trouble.subject}`;
    groups.set(key, [...(groups.get(key) ?? []), trouble]);
  }
  return groups;
}

function findingOf(group: Trouble[], state: TroubleState, { nowSeconds }: KernelLogEvidence): Finding[] {
  const last = group.at(-1);
  if (!last || last.kind === 'fs-remounted') return [];
  const age = nowSeconds === null ? '' : `, ${ageText(nowSeconds - last.seconds)} before the save`;
  const times = group.length > 1 ? `, told ${group.length} times` : '';
  const lasted =
    last.kind === 'panic'
      ? ''
      : { lasting: ', and that lasted when the memory was saved', unclear: '; whether that was over at the save cannot be told', over: '' }[state];
  const message = `${WHAT[last.kind]}${lasted} ("${last.text}"${times}${age})`;
  const severity = state === 'lasting' ? 'critical' : last.kind === 'out-of-memory' ? 'info' : 'warning';
  return [{ code: `memory.log.${last.kind}`, severity, message, where: { logSeconds: Math.round(last.seconds), subject: last.subject } }];
}

/** A machine that is short of disk may have such tasks for a while: only what the kernel itself calls hung can fail. */
function waitingTasks({ waiting, troubles }: KernelLogEvidence): Finding[] {
  const told = new Set(troubles.filter(({ kind }) => kind === 'hung-task').map(({ subject }) => subject));
  const long = (waiting ?? []).filter(({ pid, seconds }) => seconds >= LONG_WAIT_SECONDS && !told.has(String(pid)));
  const [longest] = long;
  if (!longest) return [];
  const names = long.slice(0, MAX_NAMED).map(({ name, pid }) => `${name} (${pid})`);
  const message = `${count(long.length, 'task')} could not be woken when the memory was saved, the longest for ${ageText(longest.seconds)}: ${names.join(', ')}`;
  const severity = longest.seconds >= HUNG_SECONDS ? 'warning' : 'info';
  return [{ code: 'memory.tasks-waiting', severity, message, where: { pid: longest.pid, seconds: Math.round(longest.seconds) } }];
}

function panickedProcessor(cpu: number): Finding {
  const message = `the kernel had panicked when the memory was saved: processor ${cpu} was at the panic, and the log holds no word of it`;
  return { code: 'memory.log.panic', severity: 'critical', message, where: { cpu } };
}

function undecided({ kind, subject, text }: Trouble): UntestedItem {
  const what = `whether the machine still worked when its memory was saved (${kind}${subject ? ` ${subject}` : ''})`;
  return { what, why: `the kernel had just told "${text}", and nothing shows whether that was over`, holdsData: true };
}

function span(first: number, last: number): string {
  return `from ${Math.round(first)} s to ${Math.round(last)} s after its start`;
}

function ageText(seconds: number): string {
  const age = Math.max(0, seconds);
  if (age < 600) return `${Math.round(age)} s`;
  return age < 7200 ? `${Math.round(age / 60)} min` : `${Math.round(age / 3600)} h`;
}
