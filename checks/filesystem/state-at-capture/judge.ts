/** Says in plain words what the state of a file system at capture means for a restore. */
import type { CaptureState, Consistency, Finding, Judgement } from '../../../src/types.js';

export interface StateEvidence {
  volume: string;
  type: string;
  captured: CaptureState;
}

const WORDS: Record<CaptureState['state'], string> = {
  clean: 'was cleanly unmounted when it was captured',
  frozen: 'was frozen when it was captured: all that had been written by then is on the disk',
  quiesced: 'had nothing left to replay when it was captured: it was frozen, unmounted or idle',
  'needs-replay': 'was in use when it was captured: it comes back as after a power cut, by replaying its log',
  damaged: 'was already damaged when it was captured',
  unknown: 'was captured in a state that cannot be told from outside',
};

const ADVICE =
  'Look at the running guest first: if its own kernel reports errors on this file system, repair it there. Otherwise use an older restore point of this machine.';

export function judgeState(evidence: StateEvidence): Judgement {
  const { volume, type, captured } = evidence;
  const level = consistencyOf(captured);
  const words = captured.facts.inUse === true ? 'was in use when it was captured, and has no log' : WORDS[captured.state];
  const what = `state of ${type} on ${volume} at capture`;
  const told = captured.state !== 'unknown' || captured.facts.inUse === true;
  return {
    outcome: captured.state === 'damaged' ? 'fail' : 'pass',
    summary: `the ${type} on ${volume} ${words}${captured.state === 'damaged' ? `: ${captured.why}` : ''}`,
    findings: findingsOf(evidence),
    ...(captured.state === 'damaged' ? { advice: ADVICE } : {}),
    consistency: { level, why: `${type} on ${volume}: ${captured.why}` },
    recovery: { needed: captured.state === 'needs-replay', seconds: null, bytes: captured.state === 'needs-replay' ? logBytes(captured) : 0 },
    tested: told ? [{ what, how: 'superblock and log read before replay' }] : [],
    untested: told ? [] : [{ what, why: captured.why, holdsData: true }],
  };
}

function consistencyOf({ state, facts }: CaptureState): Consistency {
  if (state === 'damaged') return 'none';
  if (state === 'needs-replay' || facts.inUse === true) return 'crash';
  return state === 'unknown' ? 'unknown' : 'filesystem';
}

function findingsOf({ volume, type, captured }: StateEvidence): Finding[] {
  const { state, why, facts } = captured;
  const findings: Finding[] = [];
  const where = { volume, state, ...(typeof facts.logBytes === 'number' ? { logBytes: facts.logBytes } : {}) };
  if (state === 'damaged') findings.push({ code: 'filesystem.state.damaged', severity: 'critical', message: `the ${type} on ${volume}: ${why}`, where });
  if (state === 'needs-replay') findings.push({ code: 'filesystem.state.needs-replay', severity: 'info', message: `the ${type} on ${volume}: ${why}`, where });
  const copies = facts.damagedCopies;
  if (typeof copies === 'number' && copies > 0 && state !== 'damaged') {
    const message = `${copies} of the copies of the superblock of the ${type} on ${volume} cannot be read; the primary is good`;
    findings.push({ code: 'filesystem.state.superblock-copy', severity: 'warning', message, where: { volume, copies } });
  }
  return findings;
}

function logBytes({ facts }: CaptureState): number {
  return typeof facts.logBytes === 'number' ? facts.logBytes : 0;
}
