/** What was found of a file against what the policy expects. Pure. */
import type { Finding, Judgement } from '../../../src/types.js';
import type { FileEvidence } from './index.js';

const ADVICE =
  'See whether the file is there on the live system; if it is, it had not reached the disk, or another disk holds it. Use an older restore point that passed.';
const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function judge(evidence: FileEvidence): Judgement {
  const { expectation, found } = evidence;
  const problem = problemOf(evidence);
  const failed = problem !== null;
  const name = expectation.name ?? expectation.file;
  const facts = found ? `${found.sizeBytes} bytes, changed ${found.modifiedAt ?? 'at an unknown time'}` : 'not there';
  const summary = failed ? `Not as expected: ${name}: ${problem}.` : `As expected: ${name}: ${facts}.`;
  const where: Finding['where'] = found ? { volume: found.location.volume, file: found.location.path } : { file: expectation.file };
  return {
    outcome: failed ? 'fail' : 'pass',
    summary,
    findings: [{ code: failed ? 'application.files.false' : 'application.files.true', severity: failed ? 'critical' : 'info', message: summary, where }],
    ...(failed ? { advice: ADVICE } : {}),
    tested: [{ what: `the file ${expectation.file}`, how: ['that it exists', ...limits(evidence)].join(', ') }],
    untested: [],
  };
}

function problemOf({ expectation, takenAt, found }: FileEvidence): string | null {
  if (!found) return 'it does not exist';
  if (found.type !== 'file') return `it is no file (${found.type})`;
  const { minSize, maxAge } = expectation;
  if (minSize !== undefined && found.sizeBytes < minSize) return `it has ${found.sizeBytes} bytes, expected at least ${minSize}`;
  if (maxAge === undefined) return null;
  if (found.modifiedAt === null || takenAt === null) return 'its age is not known';
  const ageSeconds = (Date.parse(takenAt) - Date.parse(found.modifiedAt)) / 1000;
  if (!Number.isFinite(ageSeconds)) return 'its age is not known';
  return ageSeconds > secondsOf(maxAge) ? `it was last changed at ${found.modifiedAt}, more than ${maxAge} before the capture at ${takenAt}` : null;
}

function secondsOf(age: string): number {
  return Number(age.slice(0, -1)) * (UNIT_SECONDS[age.slice(-1)] ?? 0);
}

function limits({ expectation: { minSize, maxAge } }: FileEvidence): string[] {
  return [...(minSize === undefined ? [] : [`at least ${minSize} bytes`]), ...(maxAge === undefined ? [] : [`at most ${maxAge} old at the capture`])];
}
