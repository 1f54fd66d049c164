import { type CheckTarget, defineStaticCheck } from '../../../src/check.js';
import type { Finding, InstanceState, Judgement, Severity, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { type AriaEvidence, readAria } from '../read-tables.js';

export default defineStaticCheck<AriaEvidence>({
  id: 'aria/tables',
  title: 'Every page of the Aria tables carries its own checksum, and their log is there',
  failureTitle: 'Aria tables or their log are damaged or missing',
  description:
    'Calculates the checksum of every page of the Aria tables beside InnoDB (in MariaDB: the system tables), and holds the control file against the log files.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notAria,
  collect: readAria,
  evaluate: evaluateAria,
});

function notAria(target: CheckTarget): string | null {
  if (target.kind !== 'instance' || target.instance.engine !== 'innodb') return 'it is no data directory of MariaDB';
  const engines = String(target.instance.facts.otherEngines ?? '').split(', ');
  return engines.includes('Aria') ? null : 'it holds no Aria tables';
}

export function evaluateAria(evidence: AriaEvidence): Judgement {
  const { pages, tables } = evidence;
  const findings = [...controlFindings(evidence), ...tableFindings(evidence)];
  const worst = findings.find((item) => item.severity === 'critical');
  const untested = untestedParts(evidence);
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `${count(pages.proven, 'page')} of ${count(tables, 'Aria table')} carry their own checksum.`,
    findings,
    ...(worst ? { advice: 'Take an earlier restore point, and look at the live server (CHECK TABLE) for the same damage.' } : {}),
    instanceState: stateOf(worst !== undefined, untested),
    tested: [{ what: 'pages of Aria tables', how: `checksum of ${count(pages.proven, 'page')} of ${count(tables, 'table')}` }],
    untested,
  };
}

/** Whether its log must be replayed is not judged here: the word for that comes from InnoDB beside it. */
function stateOf(failed: boolean, untested: UntestedItem[]): InstanceState {
  if (failed) return 'damaged';
  return untested.some((item) => item.holdsData) ? 'unknown' : 'clean';
}

function finding(code: string, severity: Severity, message: string, where: Finding['where'] = {}): Finding {
  return { code: `aria.${code}`, severity, message, where };
}

function controlFindings({ control, logs }: AriaEvidence): Finding[] {
  if (control.state !== 'ok')
    return [finding(`control.${control.state}`, 'critical', `The Aria log cannot be used: ${control.why}.`, { file: 'aria_log_control' })];
  const { lastLogFile, checkpointFile, checkpointOffset } = control.control;
  const findings: Finding[] = [];
  for (const number of new Set([checkpointFile, lastLogFile])) {
    const log = logs.find((candidate) => candidate.number === number);
    const file = `aria_log.${String(number).padStart(8, '0')}`;
    if (number > 0 && !log) findings.push(finding('log.missing', 'critical', `${file} is missing: the control file names it.`, { file }));
    else if (log && number === checkpointFile && log.sizeBytes < checkpointOffset) {
      const message = `${file} ends at ${log.sizeBytes}, before its checkpoint at ${checkpointOffset}: log and control file are of different instants.`;
      findings.push(finding('log.short', 'critical', message, { file, sizeBytes: log.sizeBytes, checkpointOffset }));
    }
  }
  return findings;
}

function tableFindings({ pages, halves, damagedHeads }: AriaEvidence): Finding[] {
  const { checksum, partial } = pages.kinds;
  const findings: Finding[] = [];
  if (checksum.count > 0)
    findings.push(finding('page.checksum', 'critical', `${checksum.count} pages of Aria tables have a wrong checksum.`, { pages: checksum.count }));
  for (const place of checksum.examples)
    findings.push(finding('page.checksum.page', 'critical', `Page ${place.block} of ${place.file} has a wrong checksum.`, { ...place }));
  for (const file of damagedHeads) findings.push(finding('table.head', 'critical', `${file} does not begin as the index of a table.`, { file }));
  for (const file of halves) findings.push(finding('table.half', 'warning', `The other file of the table ${file} is not there.`, { file }));
  for (const place of partial.examples) findings.push(finding('page.partial', 'warning', `${place.file} ends within page ${place.block}.`, { ...place }));
  return findings;
}

function untestedParts(evidence: AriaEvidence): UntestedItem[] {
  const items: UntestedItem[] = evidence.unreadable.map((file) => ({ what: `Aria table ${file}`, why: 'it could not be read', holdsData: true }));
  const { count, examples } = evidence.withoutChecksums;
  if (count > 0)
    items.push({
      what: `${count} Aria tables without checksums (${examples[0]})`,
      why: 'their rows are in no pages, or in pages without a checksum',
      holdsData: true,
    });
  items.push({ what: 'Aria tables against their log', why: 'the records of the Aria log are not read', holdsData: false });
  return items;
}
