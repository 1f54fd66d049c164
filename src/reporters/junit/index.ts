/**
 * JUnit XML, as continuous integration reads it: one suite for each restore point, one case for each check, and one case `verdict`, because a
 * record may be inconclusive though no check failed: that must not be green. The shape is what both the XSD of Apache Ant's task and that of
 * the Jenkins plug-in accept.
 */
import type { CheckResult, VerificationRecord } from '../../types.js';
import type { Dossier, DrillDossier } from '../dossier.js';
import { wordOf } from '../drill-words.js';
import { withPlace } from '../words.js';
import { type Case, type Outcome, type Suite, suitesXml } from './xml.js';

export function renderJunit(dossier: Dossier): string {
  return suitesXml('snapproof', dossier.kind === 'drill' ? drillSuites(dossier) : [recordSuite(dossier.document)]);
}

export function renderRunJunit(records: readonly VerificationRecord[]): string {
  return suitesXml('snapproof', records.map(recordSuite));
}

const VERDICTS: Record<string, Outcome> = { passed: 'pass', failed: 'failure' };

function recordSuite(record: VerificationRecord): Suite {
  const { restorePoint, startedAt, durationMs, id, verdict, reasons, coverage } = record;
  const untested = coverage.untested.map(({ what, why, holdsData }) => `NOT tested: ${what}${holdsData ? ' (may hold data)' : ''}: ${why}`);
  return {
    name: `${restorePoint.machine} ${restorePoint.id}`,
    startedAt,
    seconds: durationMs / 1000,
    properties: { record: id, verdict, consistency: record.consistency.observed, takenAt: restorePoint.takenAt ?? 'not known' },
    cases: [
      { className: 'snapproof', name: 'verdict', seconds: 0, outcome: VERDICTS[verdict] ?? 'error', message: `${verdict}: ${reasons[0] ?? ''}`, text: reasons },
      ...record.checks.map(checkCase),
    ],
    output: untested,
  };
}

const OUTCOMES: Record<CheckResult['outcome'], Outcome> = { pass: 'pass', fail: 'failure', error: 'error', skip: 'skipped' };

/** What is not required does not make a build red: that it failed stands in its text. */
function checkCase({ id, target, outcome, required, summary, durationMs, findings, advice }: CheckResult): Case {
  const optional = !required && (outcome === 'fail' || outcome === 'error');
  return {
    className: id,
    name: target,
    seconds: durationMs / 1000,
    outcome: optional ? 'skipped' : OUTCOMES[outcome],
    message: optional ? `not required, ${outcome === 'fail' ? 'failed' : 'could not run'}: ${summary}` : summary,
    text: [...findings.slice(0, 100).map(withPlace), advice].filter((text) => text !== ''),
  };
}

function drillSuites({ drill, records }: DrillDossier): Suite[] {
  const items = drill.items.map((item): Suite => {
    const record = records.get(item.recordId ?? '')?.document;
    if (record) return recordSuite(record);
    const word = wordOf(item);
    const message = `${word}: ${item.why[0] ?? 'there is no record of it'}`;
    const only: Case = { className: 'snapproof', name: 'verdict', seconds: 0, outcome: VERDICTS[word] ?? 'error', message, text: item.why };
    return { name: `${item.machine} ${item.restorePoint}`, startedAt: drill.startedAt, seconds: 0, properties: {}, cases: [only], output: [] };
  });
  return [drillSuite(drill), ...items];
}

/** The drill as a whole: its verdict, its controls, what is overdue. */
function drillSuite(drill: DrillDossier['drill']): Suite {
  const { verdict, reasons, controls, overdue } = drill;
  const plain = { seconds: 0, text: [] };
  return {
    name: `drill ${drill.name}`,
    startedAt: drill.startedAt,
    seconds: Math.max(0, (Date.parse(drill.finishedAt) - Date.parse(drill.startedAt)) / 1000) || 0,
    properties: { drill: drill.id, verdict },
    cases: [
      { ...plain, className: 'snapproof', name: 'verdict', outcome: VERDICTS[verdict] ?? 'error', message: `${verdict}: ${reasons[0] ?? ''}`, text: reasons },
      ...controls.map(({ name, rejected, why }): Case => ({ ...plain, className: 'known-bad', name, outcome: rejected ? 'pass' : 'failure', message: why })),
      ...overdue.map(({ machine, lastProvenAt }): Case => {
        return { ...plain, className: 'overdue', name: machine, outcome: 'failure', message: `last proven: ${lastProvenAt ?? 'never'}` };
      }),
    ],
    output: [],
  };
}
