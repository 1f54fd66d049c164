/** Check `ese/log`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { InstanceState, Judgement } from '../../../src/types.js';
import { notEse } from '../applies.js';
import { STATES } from '../format/header.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { CLEAN, DIRTY, DIRTY_PATCHED, exemption, LOG_ADVICE, nameOf, unreadFiles } from '../words.js';
import { noteChain } from './chain.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'ese/log',
  title: 'The ESE database was shut down cleanly, or all log files that its recovery needs are there and whole',
  failureTitle: 'The ESE database cannot be brought up: log files that it needs are missing, damaged or of another instant',
  description:
    'Reads the state of an ESE database and the log files that its header requires: signature, generations without holes, times of creation, checksums of headers and segments, checkpoint.',
  timeoutMs: 3_600_000,
  skipReason: notEse,
  collect: staticPass,
  evaluate: evaluateLog,
});

export function evaluateLog(evidence: StaticEvidence): Judgement {
  const exempt = exemption(evidence);
  if (exempt) return exempt;
  const { header, path } = evidence;
  const problems = new Problems();
  if (!header) problems.damaged('ese.header', `The header of ${path} cannot be read, so it is not known which log files it needs.`, { file: path });
  const untested = unreadFiles(evidence);
  const open = header?.state === DIRTY || header?.state === DIRTY_PATCHED;
  if (header?.state === CLEAN) noteOlderLog(problems, evidence);
  else if (open) untested.push(...noteChain(problems, evidence));
  else if (header?.state === 6)
    problems.damaged('ese.state', `${path} is in the middle of an incremental reseed: the engine does not open it.`, { file: path });
  else if (header) untested.push({ what: nameOf(evidence), why: `its state is "${stateOf(header.state)}": what it needs is not known`, holdsData: true });
  const needed = header && open ? evidence.logs.filter(({ generation }) => generation >= header.minRequired) : [];
  const why = describe(evidence, needed.length);
  return judgeProblems({
    reports: [problems.report()],
    soundState: (header?.state === CLEAN ? 'clean' : open ? 'recoverable' : 'unknown') satisfies InstanceState,
    passSummary: why,
    advice: LOG_ADVICE,
    what: nameOf(evidence),
    ...(header ? { consistency: { level: open ? ('crash' as const) : header.state === CLEAN ? ('application' as const) : ('unknown' as const), why } } : {}),
    recovery: { needed: open, seconds: null, bytes: needed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
    tested: header ? [{ what: `state and log of ${nameOf(evidence)}`, how: `header of the database and of ${evidence.logs.length} log files` }] : [],
    untested,
  });
}

function stateOf(state: number): string {
  return STATES[state] ?? String(state);
}

function describe({ header, path }: StaticEvidence, needed: number): string {
  if (!header) return `${path} has no header that could be read.`;
  if (header.state === CLEAN) return `${path} was shut down cleanly; it needs no log file.`;
  const range = header.minRequired === header.maxRequired ? `${header.minRequired}` : `${header.minRequired} to ${header.maxRequired}`;
  return `${path} was open (${stateOf(header.state)}); recovery reads ${needed} log files from generation ${range} on.`;
}

/** R1 for a database that was shut down: that was logged before it was marked. Logs that lie elsewhere may be somebody's older copy. */
function noteOlderLog(problems: Problems, { header, logs, path, volume }: StaticEvidence): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const beside = logs.filter((log) => log.sumFits && log.volume === volume && log.path.slice(0, log.path.lastIndexOf('/')) === folder);
  const last = beside.at(-1);
  if (!header || !last || header.consistentAt.generation <= last.generation) return;
  const message = `${path} was shut down in log generation ${header.consistentAt.generation}; the log files beside it end with ${last.generation}.`;
  const where = { file: path, log: last.path, generation: last.generation };
  problems.add({ code: 'ese.log.older', severity: 'critical', state: 'non-atomic', message, where });
}
