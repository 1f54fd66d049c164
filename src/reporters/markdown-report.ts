/** Records and drills as Markdown (CommonMark with the tables of GitHub), for tickets and wikis: it says what matters, and names the record for the rest. */
import { clausesShown } from '../compliance/index.js';
import type { Subject } from '../compliance/types.js';
import { bounded } from './bounded.js';
import type { Dossier, DrillDossier, RecordDossier, Setting } from './dossier.js';
import { boundText, DRILL_MEANING, itemTotals, wordOf, worstItemsFirst } from './drill-words.js';
import { visible } from './escape.js';
import { withoutFolder } from './folder.js';
import { drillSubject } from './html/drill-page/index.js';
import { subjectOf } from './html/record/index.js';
import { count, formatBytes, formatInstant, formatSeconds } from './units.js';
import { STATE_WORDS, WAY_TITLES } from './ways.js';
import { adviceOf } from './why.js';
import { CONSISTENCY_MEANING, declaredSentence, recoverySentence, VERDICT_MEANING } from './words.js';

const MOST = { list: 100, rows: 1000, cell: 600 };

export function renderMarkdownReport(dossier: Dossier, setting: Setting): string {
  const blocks = dossier.kind === 'drill' ? drillBlocks(dossier) : recordBlocks(dossier);
  const subject = dossier.kind === 'drill' ? drillSubject(dossier) : subjectOf(dossier);
  const last = `Written by snapproof ${plain(setting.version)} on ${day(setting.writtenAt)}.`;
  return `${[...blocks, ...ruleBlocks(setting, subject), last].filter((block) => block !== '').join('\n\n')}\n`;
}

function recordBlocks(whole: RecordDossier): string[] {
  const { record, folder } = withoutFolder(whole.record);
  const { restorePoint, consistency, coverage, recovery, verdict } = record;
  const open = coverage.untested.map(({ what, why, holdsData }) => `${strong(what)}${holdsData ? ' (may hold data)' : ''}: ${plain(why)}`);
  return [
    `# ${plain(restorePoint.machine)}: ${plain(verdict)}`,
    `${strong(verdict.toUpperCase())}: ${VERDICT_MEANING[verdict]}`,
    `Restore point ${code(restorePoint.id)}, taken ${restorePoint.takenAt === null ? 'not known when' : day(restorePoint.takenAt)}. Tested ${day(record.startedAt)}, took ${formatSeconds(record.durationMs / 1000)}. Record ${code(record.id)}.`,
    section('Why', list(record.reasons.map(plain), '1.')),
    section('What to do', list(adviceOf(record).map(plain))),
    section('Not tested', open.length > 0 ? list(open) : 'Nothing that is known of.'),
    section('Tested', list(coverage.tested.map(({ what, how }) => `${strong(what)}: ${plain(how)}`))),
    section(
      'Consistency and recovery',
      `${CONSISTENCY_MEANING[consistency.observed]}. ${declaredSentence(consistency)} ${recoverySentence(recovery, verdict !== 'inconclusive')}`,
    ),
    section(
      'Ways back',
      table(
        ['Way', 'Verdict', 'State', 'At work after', 'Why'],
        record.ways.map((way) => [
          WAY_TITLES[way.way],
          way.verdict,
          STATE_WORDS[way.state] ?? way.state,
          way.secondsToService === null ? '–' : `${formatSeconds(way.secondsToService)}${way.accelerator === 'tcg' ? ' (emulated)' : ''}`,
          way.why,
        ]),
      ),
    ),
    section(
      'Databases',
      table(
        ['Database', 'State', 'Why'],
        record.instances.map(({ id, state, why }) => [id, state, why]),
      ),
    ),
    section(
      'Checks',
      table(
        ['Check', 'On', 'Outcome', 'Observed', 'Time'],
        record.checks.map((check) => [check.id, check.target, check.outcome, check.summary, formatSeconds(check.durationMs / 1000)]),
      ),
    ),
    section('Deviations', list(record.deviations.map(plain))),
    section(
      'Files',
      `${folder === '' ? '' : `In ${code(folder)}.\n\n`}${table(
        ['File', 'Role', 'Size', 'SHA-256'],
        restorePoint.files.map(({ path, role, sizeBytes, sha256 }) => [path, role, formatBytes(sizeBytes), sha256]),
      )}`,
    ),
    ...signOffBlock(whole.signOffs),
    section('Evidence', placeText(whole.place)),
  ];
}

function drillBlocks({ drill, records, signOffs, place }: DrillDossier): string[] {
  const rows = worstItemsFirst(drill.items).map((item) => {
    const why = item.why.length > 0 ? item.why : (records.get(item.recordId ?? '')?.record.reasons ?? []);
    return [item.machine, item.restorePoint, wordOf(item), boundText(item.rto) || '–', boundText(item.rpo) || '–', why.slice(0, 3).join(' ')];
  });
  return [
    `# Drill ${plain(drill.name)}: ${plain(drill.verdict)}`,
    `${strong(drill.verdict.toUpperCase())}: ${DRILL_MEANING[drill.verdict]}`,
    `Began ${day(drill.startedAt)}, ended ${day(drill.finishedAt)}. ${itemTotals(drill)} Drill ${code(drill.id)}.`,
    section('Why', list(drill.reasons.map(plain), '1.')),
    section(
      'Overdue',
      list(drill.overdue.map(({ machine, lastProvenAt }) => `${strong(machine)}: last proven ${lastProvenAt === null ? 'never' : day(lastProvenAt)}`)),
    ),
    section('Restore points', table(['Machine', 'Restore point', 'Verdict', 'Recovery time', 'Recovery point', 'Why'], rows)),
    section(
      'Known-bad restore points',
      table(
        ['Name', 'Damage', 'Rejected', 'Why'],
        drill.controls.map(({ name, damage, rejected, why }) => [name, damage, rejected ? 'yes' : 'NO', why]),
      ),
    ),
    ...signOffBlock(signOffs),
    section('Evidence', placeText(place)),
  ];
}

function signOffBlock(all: RecordDossier['signOffs']): string[] {
  return [section('Sign-offs', list(all.map(({ reviewer, decision, at, note }) => `${strong(reviewer)} ${decision} it on ${day(at)}: ${plain(note)}`)))];
}

function placeText(place: RecordDossier['place']): string {
  if (!place) return 'It was not stored in a ledger.';
  const signed = place.keyIds.length > 0 ? `signed by ${place.keyIds.map(code).join(', ')}` : 'not signed';
  return `Entry ${place.seq} of the ledger, ${signed}. SHA-256 of the document ${code(place.documentSha256)}, hash of the entry ${code(place.entryHash)}, of the entry before ${code(place.previousHash)}.`;
}

function ruleBlocks({ rules }: Setting, subject: Subject): string[] {
  return rules.map((rule) => {
    const rows = clausesShown(rule, subject).flatMap(({ clause, facts, notShown }) => [
      ...facts.map(({ state, says, fields }) => [clause, state, says, fields.join(', ')]),
      [clause, 'not shown here', notShown, ''],
    ]);
    return section(
      rule.name,
      `${table(['Clause', 'State', 'What it says', 'Fields'], rows)}\n\nSource: ${plain(rule.source.document)}, read on ${rule.source.readOn} (${plain(rule.source.readIn)}).`,
    );
  });
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${plain(title)}\n\n${body}`);

function list(items: readonly string[], mark = '-'): string {
  const more = items.length > MOST.list ? [`${mark} and ${count(items.length - MOST.list, 'more', 'more')}, in the record`] : [];
  return [...items.slice(0, MOST.list).map((item) => `${mark} ${item}`), ...more].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.map((text) => plain(bounded(text, MOST.cell))).join(' | ')} |`;
  const more = rows.length > MOST.rows ? `\n\nAnd ${rows.length - MOST.rows} more, in the record.` : '';
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.slice(0, MOST.rows).map(line)].join('\n') + more;
}

/** What is no instant stays text. */
const day = (instant: string): string => plain(formatInstant(instant));

const strong = (text: string): string => `**${plain(text) || '–'}**`;

/** Between as many backquotes as needed; what is in it is shown as it is. */
function code(text: string): string {
  const shown = visible(bounded(text, MOST.cell)).trim() || '–';
  const fence = '`'.repeat(Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const inner = fence.length > 1 ? ` ${shown} ` : shown;
  return `${fence}${inner}${fence}`;
}

/** Text that stays text: CommonMark's marks, HTML, tables, and what GitHub would make a link or a name of. */
export function plain(text: string): string {
  return visible(text)
    .replace(/[\\`*_[\]<>#|~&!$@{}^]/g, '\\$&')
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/\bwww\./gi, (www) => `${www.slice(0, 3)}\\.`)
    .replace(/^(\s*)([-+=]|\d+(?=[.)]))/, (_, blank: string, mark: string) => (/\d/.test(mark) ? `${blank}${mark}\\` : `${blank}\\${mark}`));
}
