/** What a record or a drill shows, one function each. Pure; says what is missing rather than nothing. */

import { count } from '../words.js';
import type { FactId, FactShown, Shown, Subject, Subjected } from './types.js';

type Finding = Omit<FactShown, 'fact'>;

const shown = (state: Shown, fields: string[], says: string): Finding => ({ state, fields, says });

export function factOf(fact: FactId, subject: Subject): FactShown {
  return { fact, ...FACTS[fact](subject) };
}

const FACTS: Record<FactId, (subject: Subject) => Finding> = {
  restored,
  integrity,
  reconciled,
  coverage,
  separated,
  dated,
  result,
  'set-up': setUp,
  'time-objective': timeObjective,
  'age-objective': ageObjective,
  repeated,
  sampled,
  reviewed,
  corrected,
  authentic,
  'can-fail': canFail,
};

const decided = ({ ways }: Subjected): number => ways.filter(({ verdict }) => verdict !== 'inconclusive').length;
const ran = ({ checks }: Subjected, stages: string[]): boolean =>
  checks.some(({ stage, outcome }) => stages.includes(stage) && (outcome === 'pass' || outcome === 'fail'));

function restored({ records }: Subject): Finding {
  const fields = ['ways', 'recovery'];
  const started = records.filter((record) => decided(record) > 0).length;
  if (records.length === 0) return shown('missing', fields, 'Nothing was restored: there is no record.');
  if (started === records.length) return shown('shown', fields, `${of(started, records)} brought back as a running machine, and judged.`);
  const replayed = records.filter((record) => ran(record, ['recovery', 'volume', 'logical'])).length;
  if (started + replayed === 0) return shown('missing', fields, 'Nothing was restored: the files were only read.');
  const why = 'the others only as far as their file systems and databases, or not at all';
  return shown('partly', fields, started > 0 ? `${of(started, records)} brought back as a running machine; ${why}.` : RECOVERED_ONLY);
}

const RECOVERED_ONLY = 'File systems and databases were recovered on a throw-away copy; no machine was started from the backup.';

function integrity({ records }: Subject): Finding {
  const fields = ['checks', 'restorePoint.files[].sha256'];
  const checked = records.filter(({ checks }) => checks.some(({ outcome }) => outcome === 'pass' || outcome === 'fail')).length;
  const digests = records.every(({ restorePoint }) => restorePoint.files.length > 0);
  if (checked === 0) return shown('missing', fields, 'No check came to a result.');
  const state = checked === records.length && digests ? 'shown' : 'partly';
  return shown(state, fields, `${of(checked, records)} checked for damage${digests ? ', every file with its SHA-256' : ', but not every file has a digest'}.`);
}

/** Several checks that do not depend on each other. */
function reconciled({ records }: Subject): Finding {
  const fields = ['checks[].id', 'checks[].tested'];
  const kinds = records.map(({ checks }) => new Set(checks.filter(({ outcome }) => outcome === 'pass' || outcome === 'fail').map(({ id }) => id)).size);
  const several = kinds.filter((number) => number >= 2).length;
  if (several === 0) return shown('missing', fields, 'No restore point was looked at by more than one check.');
  const most = Math.max(...kinds);
  return shown(several === records.length ? 'shown' : 'partly', fields, `${of(several, records)} looked at by several checks, up to ${most} different ones.`);
}

function coverage({ records, drill }: Subject): Finding {
  const fields = ['coverage.tested', 'coverage.untested', ...(drill ? ['items[].state'] : [])];
  const open = records.filter(({ coverage: { untested } }) => untested.some(({ holdsData }) => holdsData)).length;
  const missed = (drill?.items ?? []).filter(({ state }) => state === 'not-reached' || state === 'unreadable').length;
  if (records.length === 0) return shown('missing', fields, 'There is no record that could say what was tested.');
  if (open + missed === 0) return shown('shown', fields, 'What was tested is listed, and nothing that is known to hold data was left out.');
  const parts = [
    ...(open > 0 ? [`${count(open, 'record')} with data that was not tested`] : []),
    ...(missed > 0 ? [`${count(missed, 'item')} not verified`] : []),
  ];
  return shown('partly', fields, `What was not tested is listed: ${parts.join(', ')}.`);
}

function separated({ records }: Subject): Finding {
  const fields = ['isolation', 'environment.host'];
  const isolated = records.filter(({ isolation }) => /^none\b/.test(String(isolation.network ?? '')) && isolation.originals !== undefined).length;
  if (isolated === 0) return shown('missing', fields, 'No record says how the test was kept apart.');
  const says = `${of(isolated, records)} tested without a network, from files that were only read. That the host itself stands apart from the source is for you to show.`;
  return shown('partly', fields, says);
}

function dated({ records, drill }: Subject): Finding {
  const fields = ['startedAt', 'finishedAt', 'restorePoint.takenAt', 'stages'];
  const unknown = records.filter(({ restorePoint }) => restorePoint.takenAt === null).length;
  if (records.length === 0 && !drill) return shown('missing', fields, 'There is no record.');
  if (unknown > 0) return shown('partly', fields, `Dates of all tests; when ${count(unknown, 'restore point was', 'restore points were')} taken is not known.`);
  return shown('shown', fields, 'Date, duration and stages of the test, and the instant of the backup.');
}

function result({ records, drill }: Subject): Finding {
  const fields = drill ? ['verdict', 'reasons', 'items[].verdict', 'items[].why'] : ['verdict', 'reasons', 'checks[].findings'];
  if (records.length === 0 && !drill) return shown('missing', fields, 'There is no result.');
  const words = ['passed', 'failed', 'inconclusive'] as const;
  const counted = words.map((word) => `${records.filter(({ verdict }) => verdict === word).length} ${word}`).join(', ');
  return shown('shown', fields, `Results are documented with their reasons: ${counted}.`);
}

function setUp({ records }: Subject): Finding {
  const fields = ['environment', 'policy', 'deviations', 'restorePoint.files'];
  const told = records.filter(({ environment }) => Object.keys(environment).length > 0).length;
  if (told === 0) return shown('missing', fields, 'No record says with what it was tested.');
  return shown(
    told === records.length ? 'shown' : 'partly',
    fields,
    'Host, versions of the tools, policy, files and every deviation from the original machine.',
  );
}

function timeObjective({ records, drill }: Subject): Finding {
  const fields = ['ways[].secondsToService', 'recovery.seconds', 'items[].rto'];
  const bounds = (drill?.items ?? []).filter(({ rto }) => rto !== null);
  const judged = bounds.filter(({ rto }) => rto?.met !== null).length;
  if (judged > 0)
    return shown(
      judged === drill?.items.length ? 'shown' : 'partly',
      fields,
      `Restore times held against a recovery time objective for ${judged} of ${drill?.items.length} restore points.`,
    );
  const measured = records.filter(({ ways, recovery }) => ways.some(({ secondsToService }) => secondsToService !== null) || recovery.seconds > 0).length;
  if (measured > 0) return shown('partly', fields, 'Times of the way back were measured; no objective was given in a drill that they could be held against.');
  return shown('missing', fields, 'No time of the way back was measured, and no recovery time objective was given.');
}

function ageObjective({ drill }: Subject): Finding {
  const fields = ['items[].rpo', 'restorePoint.takenAt'];
  const judged = (drill?.items ?? []).filter(({ rpo }) => rpo !== null && rpo.met !== null).length;
  if (judged === 0) return shown('missing', fields, 'No recovery point objective was given in a drill that the age of the backups could be held against.');
  return shown(
    judged === drill?.items.length ? 'shown' : 'partly',
    fields,
    `The age of the newest backup is held against a recovery point objective for ${judged} of ${drill?.items.length}.`,
  );
}

function repeated({ drill, earlier }: Subject): Finding {
  const fields = drill ? ['startedAt', 'policy', 'overdue'] : ['startedAt', 'drill.id'];
  if (earlier.length === 0) return shown('missing', fields, 'No earlier test is in the ledger: one test alone shows no regularity.');
  const late = drill?.overdue.length ?? 0;
  const since = `${count(earlier.length, 'earlier test')} in the ledger, the first of ${earlier[0]?.slice(0, 10)}`;
  return late > 0 ? shown('partly', fields, `${since}; ${count(late, 'machine is', 'machines are')} overdue.`) : shown('shown', fields, `${since}.`);
}

function sampled({ drill }: Subject): Finding {
  const fields = ['items[].selection'];
  const chosen = (drill?.items ?? []).filter(({ selection }) => selection.how !== 'control');
  if (chosen.length === 0) return shown('missing', fields, 'There is no drill that says how restore points were chosen.');
  const ways = [...new Set(chosen.map(({ selection }) => selection.how))].join(', ');
  return shown(
    'shown',
    fields,
    `How the ${count(chosen.length, 'restore point was', 'restore points were')} chosen is recorded (${ways}), with population and, if random, the seed.`,
  );
}

function reviewed({ signOffs }: Subject): Finding {
  const last = signOffs.at(-1);
  if (!last) return shown('missing', ['sign-off'], 'Nobody has signed it off yet (snapproof sign-off).');
  return shown('shown', ['sign-off.reviewer', 'sign-off.at', 'sign-off.decision'], `${last.reviewer} ${last.decision} it on ${last.at.slice(0, 10)}.`);
}

function corrected({ records, drill, signOffs }: Subject): Finding {
  const fields = ['sign-off.correctiveAction', 'sign-off.ticket', 'sign-off.retest'];
  const sound = drill ? drill.verdict === 'passed' : records.length > 0 && records.every(({ verdict }) => verdict === 'passed');
  if (sound) return shown('shown', ['verdict'], 'Everything passed: nothing was to be corrected.');
  const action = signOffs.find(({ correctiveAction }) => correctiveAction !== null);
  if (!action) return shown('missing', fields, 'It did not pass, and no corrective action is recorded (snapproof sign-off --corrective-action).');
  const retest = signOffs.some((signOff) => signOff.retest !== null);
  return shown(
    retest ? 'shown' : 'partly',
    fields,
    retest ? 'Corrective action and the test after it are recorded.' : 'A corrective action is recorded, but no test after it.',
  );
}

function authentic({ stored, signed }: Subject): Finding {
  const fields = ['entry hash', 'previous hash', 'signature'];
  if (!stored) return shown('missing', fields, 'It was not stored in a ledger: nothing shows that it was not changed.');
  if (!signed) return shown('partly', fields, 'It is chained by hashes in the ledger, but not signed.');
  return shown('shown', fields, 'It is chained by hashes in the ledger and signed.');
}

function canFail({ drill }: Subject): Finding {
  const fields = ['controls'];
  const controls = drill?.controls ?? [];
  if (controls.length === 0) return shown('missing', fields, 'No known-bad restore points ran along that would show that the test can fail.');
  const rejected = controls.filter((control) => control.rejected).length;
  if (rejected < controls.length) return shown('missing', fields, `Only ${rejected} of ${controls.length} known-bad restore points were rejected.`);
  return shown('shown', fields, `All ${controls.length} known-bad restore points that ran along were rejected.`);
}

function of(number: number, all: unknown[]): string {
  if (all.length === 1) return 'The restore point was';
  return `${number} of ${all.length} restore points were`;
}
