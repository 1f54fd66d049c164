import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import type { LogFacts } from '../redo/facts.js';
import { instanceLog, type StaticEvidence } from '../static-pass.js';
import { count, finding, LOG_ADVICE, notInnodb, SKEW_ADVICE } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'innodb/redo-log',
  title: 'The redo log is there and unbroken from the checkpoint to its end',
  failureTitle: 'The redo log is missing, broken or of another instant',
  description: 'Follows the redo log from its newest valid checkpoint to its true end by its checksums, and looks for log that lies beyond a hole.',
  timeoutMs: 3_600_000,
  skipReason: (target) => notInnodb(target) ?? onlyTables(target),
  collect: instanceLog,
  evaluate: evaluateLog,
});

function onlyTables(target: Parameters<typeof notInnodb>[0]): string | null {
  return target.kind === 'instance' && target.instance.facts.kind === 'tables' ? 'these are tablespaces without an instance, and without a log' : null;
}

export function evaluateLog(evidence: StaticEvidence): Judgement {
  const { log, head } = evidence.redo;
  if (log.state === 'unknown') return notJudged(log.why);
  if (log.state === 'missing' && evidence.instance.kind !== 'directory') return notJudged(log.why);
  if (log.state !== 'ok') return unusable(log.state, log.why);
  const { facts } = log;
  const findings = logFindings(facts, head?.encrypted === true);
  const worst = findings.find((item) => item.severity === 'critical');
  const bytes = facts.cleanShutdown ? 0 : facts.end - facts.checkpoint;
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst
      ? worst.message
      : facts.cleanShutdown
        ? 'The redo log ends with its checkpoint: nothing to replay.'
        : `The redo log is unbroken: ${bytes} bytes to replay.`,
    findings,
    ...(worst ? { advice: SKEW_ADVICE } : {}),
    consistency: { level: 'crash', why: 'the files of a running server were captured; InnoDB makes them consistent when it starts' },
    recovery: { needed: !facts.cleanShutdown, seconds: null, bytes },
    instanceState: logState(facts),
    tested: [{ what: 'the redo log', how: howFollowed(facts) }],
    untested: untestedParts(facts),
  };
}

function untestedParts({ overflowed, lostAt, withoutChecksum }: LogFacts): UntestedItem[] {
  const items: UntestedItem[] = [];
  if (overflowed) items.push({ what: 'pages named in the redo log', why: 'the log names more pages than can be held in memory', holdsData: true });
  if (lostAt) items.push({ what: `records of the redo log from ${lostAt} on`, why: 'they are of a form that is not known here', holdsData: false });
  if (withoutChecksum)
    items.push({ what: 'bit rot in the redo log', why: 'the server was told to write it without checksums (innodb_log_checksums)', holdsData: false });
  return items;
}

function howFollowed(facts: LogFacts): string {
  const pieces = facts.exactEnd ? count(facts.records, 'mini-transaction') : count(facts.records, 'block');
  return `${pieces} followed from ${facts.checkpoint} to ${facts.end} by their checksums`;
}

export function logState(facts: LogFacts): InstanceState {
  if (facts.end < facts.checkpointEnd || !facts.checkpointSeen || facts.contradictions > 0) return 'damaged';
  if (facts.beyond) return 'lost-tail';
  if (facts.overflowed) return 'unknown';
  return facts.cleanShutdown ? 'clean' : 'recoverable';
}

function notJudged(why: string): Judgement {
  return {
    outcome: 'pass',
    summary: `Not judged: ${why}.`,
    findings: [],
    instanceState: 'unknown',
    tested: [],
    untested: [{ what: 'the redo log', why, holdsData: true }],
  };
}

function unusable(state: 'missing' | 'damaged', why: string): Judgement {
  const message = state === 'missing' ? `The redo log is missing: ${why}.` : `The redo log cannot be used: ${why}.`;
  return {
    outcome: 'fail',
    summary: message,
    findings: [finding(`log.${state}`, 'critical', message)],
    advice: LOG_ADVICE,
    instanceState: 'damaged',
    tested: [],
    untested: [{ what: 'the redo log', why, holdsData: true }],
  };
}

function logFindings(facts: LogFacts, encrypted: boolean): Finding[] {
  const { checkpoint, checkpointEnd, end, beyond } = facts;
  const findings: Finding[] = [];
  if (end < checkpointEnd || !facts.checkpointSeen) {
    const message = `The redo log ends at ${end}, before the record of its own checkpoint at ${checkpointEnd}: recovery cannot start.`;
    findings.push(finding('log.checkpoint-missing', 'critical', message, { checkpoint, checkpointEnd, end }));
  }
  if (beyond) {
    const message = `The redo log has a hole at ${end}: intact log lies beyond it, from ${beyond.first} to ${beyond.last}. What was committed there would be lost without a word.`;
    findings.push(finding('log.hole', 'critical', message, { end, beyondFirst: beyond.first, beyondLast: beyond.last, records: beyond.records }));
  }
  if (facts.contradictions > 0) {
    const message = `${count(facts.contradictions, 'piece')} of the redo log contradict themselves although their checksum is right.`;
    findings.push(finding('log.contradiction', 'critical', message, { end }));
  }
  if (encrypted) findings.push(finding('log.encrypted', 'info', 'The redo log is encrypted: recovery needs the key.', {}));
  return findings;
}
