/** After recovery: every table of every engine by MariaDB's own checker, judged by what it prints. */
import { defineCheck } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import type { TableCheck } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { complaints } from '../recovery/index.js';
import { count, DAMAGE_ADVICE, finding, notInnodb } from '../words.js';

export interface CheckEvidence extends TableCheck {
  /** A log was replayed before. */
  recovered: boolean;
  /** What the server's log said of the data while the tables were read. */
  complaints: string[];
}

export default defineCheck<CheckEvidence, Record<string, never>>({
  id: 'innodb/check-table',
  title: 'After recovery every table is sound in the eyes of MariaDB itself',
  failureTitle: 'After recovery MariaDB finds tables damaged',
  description:
    'Runs CHECK TABLE ... EXTENDED on all tables (InnoDB, Aria, MyISAM and others) of the recovered server and judges its rows, never its exit code.',
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'appliance',
  timeoutMs: ENGINE_TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notInnodb,
  async collect(target, context) {
    const run = await runEngine(target, context);
    if (!run.up) throw new NotTestedError({ code: 'innodb.check.down', message: 'Tables were not checked: the server did not start.' });
    if (!run.check) throw new LabError({ code: 'innodb.check.none', message: 'the tables could not be listed' });
    return complete({ ...run.check, recovered: run.recovery !== null, complaints: complaints(run) });
  },
  evaluate: evaluateCheck,
});

/** @throws LabError when it was cut short and found nothing up to there; what the time was too short for is told as untested. */
export function complete(evidence: CheckEvidence): CheckEvidence {
  if (readTables(evidence).damaged.length + evidence.complaints.length > 0) return evidence;
  const { tables, timedOut, clientSaid } = evidence;
  const answered = answeredFor(evidence);
  if (tables !== null && (answered >= tables || (timedOut && answered > 0))) return evidence;
  if (timedOut) throw new LabError({ code: 'innodb.check.timeout', message: 'CHECK TABLE did not finish in time' });
  const said = clientSaid[0] ?? `${answered} of ${tables ?? 'an unknown number of'} tables were answered for`;
  throw new LabError({ code: 'innodb.check.cut', message: `CHECK TABLE did not come to its end: ${said}` });
}

/** Tables of which the server gave an account, of whatever kind. */
function answeredFor({ sound, lines, complained, unsupported }: TableCheck): number {
  const complaining = new Set(lines.filter(({ type }) => type !== 'warning' && type !== 'note').map(({ table }) => table));
  return sound + (complained ?? complaining.size) + (unsupported ?? 0);
}

/** What there is no account of, or none that came whole: the time was up, or too many tables complain to show them all. */
function notTold(evidence: CheckEvidence, told: number): UntestedItem[] {
  const { tables, timedOut, complained, seconds } = evidence;
  const unreached = timedOut ? (tables ?? 0) - answeredFor(evidence) : 0;
  const unshown = (complained ?? 0) - told;
  return [
    ...(unreached > 0 ? [{ what: `${count(unreached, 'table')} of ${tables}`, why: `the time was up after ${seconds.toFixed(0)} s`, holdsData: true }] : []),
    ...(unshown > 0 ? [{ what: `${count(unshown, 'further table')}`, why: 'CHECK TABLE complains of more tables than are shown', holdsData: true }] : []),
  ];
}

/** About what this server lacks or would rather do, not about the data. */
const LACKS = /unknown storage engine|unknown data type|plugin|doesn't support check|does not support|is not supported/i;
const UPGRADE = /upgrade required|rebuild required|please do "?(alter|repair)/i;

/** Only of MyISAM, and of Aria tables that are not transactional: written to at the capture, and no log tells what was under way. */
const IN_USE = /hasn't closed the table properly|clients are using or haven't closed/i;
const WITHOUT_LOG = 'it has no log and was being written at the capture; the server repairs it at its first use, and whether rows are lost cannot be told';

interface Tables {
  /** One sentence for each. */
  damaged: { table: string; text: string }[];
  untested: UntestedItem[];
  warned: { table: string; text: string }[];
  /** Tables with an error or another status than OK among them. */
  complaining: number;
}

const MOST_UNTESTED = 20;

/** Counted, where there are too many to list. */
function capped(items: UntestedItem[]): UntestedItem[] {
  const more = items.slice(MOST_UNTESTED);
  if (more.length === 0) return items;
  const rest = { what: `${more.length} further tables`, why: 'for reasons like those', holdsData: more.some(({ holdsData }) => holdsData) };
  return [...items.slice(0, MOST_UNTESTED), rest];
}

/** https://mariadb.com/kb/en/check-table/: rows of type status, error, info, note or warning. */
function readTables({ lines }: TableCheck): Tables {
  const read: Tables = { damaged: [], untested: [], warned: [], complaining: 0 };
  for (const [table, rows] of grouped(lines)) {
    const bad = rows.filter(({ type }) => type === 'error' || type === 'status');
    if (bad.length > 0) read.complaining++;
    const first = bad[0]?.text ?? rows[0]?.text ?? '';
    if (rows.some(({ text }) => LACKS.test(text))) {
      const holdsData = !rows.some(({ text }) => /support/i.test(text));
      read.untested.push({ what: `table ${table}`, why: first, holdsData });
    } else if (bad.length > 0 && rows.some(({ text }) => IN_USE.test(text)))
      read.untested.push({ what: `table ${table}`, why: `${WITHOUT_LOG} (${first})`, holdsData: true });
    else if (bad.length > 0 && !rows.some(({ text }) => UPGRADE.test(text))) read.damaged.push({ table, text: first });
    else read.warned.push({ table, text: rows[0]?.text ?? '' });
  }
  return read;
}

function grouped(lines: TableCheck['lines']): Map<string, TableCheck['lines']> {
  const groups = new Map<string, TableCheck['lines']>();
  for (const line of lines) groups.set(line.table, [...(groups.get(line.table) ?? []), line]);
  return groups;
}

export function evaluateCheck(evidence: CheckEvidence): Judgement {
  const { damaged, untested, warned, complaining } = readTables(evidence);
  const worst = damaged[0] ? `table ${damaged[0].table}: ${damaged[0].text}` : evidence.complaints[0];
  const seconds = evidence.seconds.toFixed(1);
  const reached = evidence.timedOut ? answeredFor(evidence) : (evidence.tables ?? evidence.sound);
  return {
    outcome: worst === undefined ? 'pass' : 'fail',
    summary:
      worst === undefined ? `CHECK TABLE found ${count(evidence.sound, 'table')} sound in ${seconds} s.` : `MariaDB finds damage after recovery: ${worst}`,
    findings: [
      ...damaged.slice(0, 10).map(({ table, text }) => finding('check-table.damaged', 'critical', `Table ${table}: ${text}`, { table })),
      ...evidence.complaints.slice(0, 5).map((line) => finding('check-table.log', 'critical', line)),
      ...warned.slice(0, 10).map(({ table, text }) => finding('check-table.warning', 'info', `Table ${table}: ${text}`, { table })),
    ],
    ...(worst === undefined ? {} : { advice: DAMAGE_ADVICE }),
    instanceState: worst !== undefined ? 'damaged' : evidence.recovered ? 'recoverable' : 'clean',
    tested: [{ what: 'tables after recovery', how: `CHECK TABLE ... EXTENDED on ${count(reached, 'table')}` }],
    untested: [...notTold(evidence, complaining), ...capped(untested)],
  };
}
