import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import { type SpaceFacts, type StaticEvidence, staticPass } from '../static-pass.js';
import { count, DAMAGE_ADVICE, finding, notInnodb, tallied } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'innodb/page-checksums',
  title: 'Every page in use carries its own checksum and address, or is made anew before it is read',
  failureTitle: 'Pages or files of the tablespaces are damaged or missing',
  description:
    'Calculates the checksum of every page of every tablespace, compares its own number and tablespace, and looks for missing and short files. Free pages do not count; pages that the redo log or the doublewrite buffer replaces are no damage.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notInnodb,
  collect: staticPass,
  evaluate: evaluatePages,
});

/** Engines that bring a check of their own, or hold nothing that could be lost. */
const JUDGED_ELSEWHERE = new Set(['MyISAM', 'Aria', 'CSV']);

export function evaluatePages(evidence: StaticEvidence): Judgement {
  const { spaces } = evidence;
  if (!spaces) return nothingRead();
  const findings = [...fileFindings(evidence, spaces), ...pageFindings(spaces)];
  const worst = findings.find((item) => item.severity === 'critical');
  const { pages } = spaces;
  const used = pages.pages - pages.freePages - pages.doublewritePages;
  const healed = pages.kinds.restored.count + pages.kinds.copied.count;
  const untested = untestedParts(evidence, spaces);
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `${count(used, 'page')} in use are intact${healed > 0 ? `, ${healed} more are made anew by recovery` : ''}.`,
    findings,
    ...(worst ? { advice: DAMAGE_ADVICE } : {}),
    instanceState: stateOf(worst !== undefined, healed, untested),
    tested: [
      { what: 'pages of the tablespaces', how: `checksum and address of ${used} pages in use of ${pages.pages}, in ${count(spaces.files, 'file')}` },
      { what: 'tablespace files', how: 'sizes against page 0, names against the redo log' },
    ],
    untested,
  };
}

function stateOf(failed: boolean, healed: number, untested: UntestedItem[]): InstanceState {
  if (failed) return 'damaged';
  if (untested.some((item) => item.holdsData)) return 'unknown';
  return healed > 0 ? 'recoverable' : 'clean';
}

function nothingRead(): Judgement {
  const why = 'its tablespaces could not be read';
  return {
    outcome: 'pass',
    summary: `Not judged: ${why}.`,
    findings: [],
    instanceState: 'unknown',
    tested: [],
    untested: [{ what: 'pages of the tablespaces', why, holdsData: true }],
  };
}

function fileFindings({ instance }: StaticEvidence, spaces: SpaceFacts): Finding[] {
  const findings: Finding[] = [];
  if (instance.kind === 'directory' && spaces.systemFiles === 0) {
    const message = 'The system tablespace (ibdata1) is not in this restore point: the server does not start without it.';
    findings.push(finding('file.system-missing', 'critical', message, { file: 'ibdata1' }));
  }
  for (const { file, space } of spaces.missing.examples) {
    const message = `${file} is missing: the redo log or the dictionary of InnoDB names it.`;
    findings.push(finding('file.missing', 'critical', message, { file, space, files: spaces.missing.count }));
  }
  for (const { file, sizeBytes, promisedBytes } of spaces.short.examples) {
    const message = `${file} is too short: ${sizeBytes} of ${promisedBytes} bytes.`;
    findings.push(finding('file.short', 'critical', message, { file, sizeBytes, promisedBytes, files: spaces.short.count }));
  }
  for (const { file, other, space } of spaces.doubled.examples) {
    const message = `${file} and ${other} both say they are tablespace ${space}: the server takes one of them.`;
    findings.push(finding('file.doubled', 'warning', message, { file, other, space }));
  }
  return findings;
}

function pageFindings({ pages }: SpaceFacts): Finding[] {
  const { kinds } = pages;
  return [
    ...tallied(
      'page.checksum',
      'critical',
      kinds.checksum,
      (n) => `${n} in use have a wrong checksum, and neither the redo log nor the doublewrite buffer replaces them.`,
      (place) => `${place} has a wrong checksum.`,
    ),
    ...tallied(
      'page.identity',
      'critical',
      kinds.identity,
      (n) => `${n} say that they belong somewhere else: they were swapped or written to the wrong place.`,
      (place) => `${place} says that it is another page.`,
    ),
    ...tallied(
      'page.zeroed',
      'critical',
      kinds.zeroed,
      (n) => `${n} are in use and hold only zeroes.`,
      (place) => `${place} is in use and holds only zeroes.`,
    ),
    ...tallied(
      'page.restored',
      'info',
      kinds.restored,
      (n) => `${n} are damaged, and the redo log makes them anew before anything reads them.`,
      (place) => `${place} is made anew by the redo log.`,
    ),
    ...tallied(
      'page.copied',
      'info',
      kinds.copied,
      (n) => `${n} were torn while they were written, and the doublewrite buffer holds them whole.`,
      (place) => `${place} is taken from the doublewrite buffer.`,
    ),
    ...tallied(
      'page.partial',
      'warning',
      kinds.partial,
      (n) => `${n} at the end of a file are incomplete.`,
      (place) => `${place} is cut off by the end of the file.`,
    ),
    ...tallied(
      'page.unproven',
      'warning',
      kinds.unproven,
      (n) => `${n} carry no checksum, or are empty while it cannot be told whether the redo log fills them.`,
      (place) => `${place} proves nothing.`,
    ),
  ];
}

function untestedParts({ instance }: StaticEvidence, spaces: SpaceFacts): UntestedItem[] {
  const items: UntestedItem[] = [];
  const hidden = spaces.pages.kinds.hidden;
  const add = (what: string, why: string, holdsData = true) => items.push({ what, why, holdsData });
  if (hidden.count > 0)
    add(
      `${count(hidden.count, 'page')} of ${hidden.examples[0]?.file ?? '?'} and others`,
      'they are encrypted or compressed in a form that proves nothing without the key or the library',
    );
  for (const file of spaces.unreadable.examples) add(`tablespace ${file}`, 'the file could not be read');
  for (const link of spaces.missingLinks.examples) add(`tablespace ${link}`, 'it lies on a disk that is not in the restore point');
  for (const { file } of spaces.perhapsMissing.examples)
    add(`tablespace ${file}`, 'the dictionary names it, it is not there, and the log cannot be asked whether it was just dropped');
  if (spaces.tooManyFiles) add('further tablespaces', 'there are more than a million files');
  if (spaces.pages.kinds.unproven.count > 0) add('bit rot in pages without a checksum', 'the server was told to write none', false);
  for (const engine of instance.otherEngines?.split(', ') ?? []) {
    if (!JUDGED_ELSEWHERE.has(engine)) add(`tables of ${engine} beside InnoDB`, 'there is no check for this engine yet');
  }
  return items;
}
