import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import type { ControlFile } from '../format/control.js';
import type { RelationFacts } from '../pages/relation-facts.js';
import { soundState } from '../state.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { count, DAMAGE_ADVICE, exampleFindings, finding, notPostgres, trustedControl } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/page-checksums',
  title: 'Every page is intact, or is made anew by recovery before it is read',
  failureTitle: 'Pages are damaged and nothing in the log repairs them',
  description: 'Verifies checksum and header of every page of every relation. A torn page is an alarm only when the log holds no full image of it.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notPostgres,
  collect: staticPass,
  evaluate: evaluatePages,
});

export function evaluatePages(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, 'the pages of all relations');
  if ('judgement' in trusted) return trusted.judgement;
  const { control } = trusted;
  const relations = evidence.relations;
  if (!relations) return nothingRead();
  const findings = [...damageFindings(evidence, relations), ...fileFindings(relations), ...checksumFindings(control)];
  const worst = findings.find((item) => item.severity === 'critical');
  const restored = relations.pages.kinds.restored.count;
  const healthy = `${count(relations.pages.pages, 'page')} of ${count(relations.files, 'file')} are intact${restored > 0 ? ` or (${restored}) restored by the log` : ''}.`;
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : healthy,
    findings,
    ...(worst ? { advice: DAMAGE_ADVICE } : {}),
    instanceState: worst ? 'damaged' : pagesState(evidence, relations),
    tested: [{ what: 'the pages of all relations', how: control.checksums ? 'checksum and header of every page' : 'header of every page (checksums are off)' }],
    untested: untestedOf(control, relations),
  };
}

/** What was not read, or cannot be told damaged from repaired, may be anything. */
function pagesState({ head, wal }: StaticEvidence, relations: RelationFacts): InstanceState {
  const { checksum, header } = relations.pages.kinds;
  const undecided = checksum.count + header.count > 0 && wal?.log?.overflowed === true;
  const unread = relations.missingTablespaces.length + relations.unreadable.count > 0;
  return undecided || unread ? 'unknown' : soundState(head);
}

function nothingRead(): Judgement {
  return {
    outcome: 'fail',
    summary: 'No page could be read.',
    findings: [finding('page.unread', 'critical', 'No page could be read.')],
    instanceState: 'unknown',
    tested: [],
    untested: [{ what: 'the pages of all relations', why: 'they could not be read', holdsData: true }],
  };
}

function damageFindings(evidence: StaticEvidence, relations: RelationFacts): Finding[] {
  const { kinds, pages } = relations.pages;
  const findings: Finding[] = [];
  const damaged = kinds.checksum.count + kinds.header.count;
  if (damaged > 0 && evidence.wal?.log?.overflowed) {
    findings.push(finding('page.damage-unknown', 'warning', `${damaged} of ${pages} pages are damaged; the log is too large to tell whether it repairs them.`));
  } else if (damaged > 0) {
    const message = `${damaged} of ${pages} pages are damaged, and the log holds no full image that would repair them.`;
    findings.push(finding('page.damaged', 'critical', message, { pages: damaged }));
    findings.push(...exampleFindings('page.checksum', 'critical', (place) => `The checksum of ${place} does not match its contents.`, kinds.checksum.examples));
    findings.push(...exampleFindings('page.header', 'critical', (place) => `The header of ${place} is damaged.`, kinds.header.examples));
  }
  if (kinds.restored.count > 0) {
    const message = `${count(kinds.restored.count, 'page')} were being written at the capture (torn); the log holds full images of them.`;
    findings.push(finding('page.restored', 'info', message, { pages: kinds.restored.count }));
  }
  if (kinds.unborn?.count > 0) {
    const message = `${count(kinds.unborn.count, 'page')} are newer than the log, or not whole, in files that were being made at the capture: no query sees them.`;
    findings.push(finding('page.unborn', 'info', message, { pages: kinds.unborn.count }));
  }
  if (kinds.derived.count > 0) {
    const message = `${count(kinds.derived.count, 'page')} of free-space or visibility maps are damaged.`;
    findings.push(finding('page.derived', 'warning', message, { pages: kinds.derived.count }));
  }
  return findings;
}

function fileFindings(relations: RelationFacts): Finding[] {
  const findings: Finding[] = [];
  for (const { file, sizeBytes, next } of relations.shortSegments.examples) {
    const message = `${file} holds ${sizeBytes} bytes although its relation goes on in ${next}: what lies between is missing.`;
    findings.push(finding('relation.short-segment', 'critical', message, { file, sizeBytes, next }));
  }
  for (const { file, block, bytes } of relations.pages.kinds.partial.examples) {
    const message = `${file} ends ${bytes} bytes into block ${block}: the file was being extended, or is cut off.`;
    findings.push(finding('page.partial', 'warning', message, { file, block, bytes: bytes ?? 0 }));
  }
  return findings;
}

function checksumFindings(control: ControlFile): Finding[] {
  if (control.checksums) return [];
  const message = 'This cluster has no page checksums: damage inside a page cannot be seen. Headers and log positions of all pages were judged.';
  return [finding('page.no-checksums', 'warning', message)];
}

function untestedOf(control: ControlFile, relations: RelationFacts): UntestedItem[] {
  const items: UntestedItem[] = [];
  // The pages were read and judged by header and log: what remains is one kind of damage, not data that nobody looked at.
  if (!control.checksums) items.push({ what: 'bit rot inside pages', why: 'the cluster was made without page checksums', holdsData: false });
  for (const name of relations.missingTablespaces) items.push({ what: `tablespace ${name}`, why: 'it is not in the restore point', holdsData: true });
  if (relations.unreadable.count > 0) {
    items.push({
      what: `${relations.unreadable.count} relation files, such as ${relations.unreadable.examples[0] ?? ''}`,
      why: 'they could not be read',
      holdsData: true,
    });
  }
  return items;
}
