/** The page of one record. */
import type { Subject } from '../../../compliance/types.js';
import type { RecordDossier, Setting } from '../../dossier.js';
import { withoutFolder } from '../../folder.js';
import { formatSeconds } from '../../units.js';
import { renderPage } from '../page.js';
import { part, when } from '../parts.js';
import { rules } from '../rules.js';
import { signOffs } from '../sign-offs.js';
import { html } from '../template.js';
import { checks } from './checks.js';
import { environment, isolation, selection } from './circumstances.js';
import { coverage } from './coverage.js';
import { databases } from './databases.js';
import { chain, files } from './evidence.js';
import { guest } from './guest.js';
import { recordTop } from './top.js';
import { trends } from './trends.js';
import { ways } from './ways.js';
import { stateAtCapture, whatToDo, why } from './why.js';

export function renderRecordPage(whole: RecordDossier, setting: Setting): string {
  const { record, folder } = withoutFolder(whole.record);
  const dossier = { ...whole, record };
  const { restorePoint } = record;
  return renderPage({
    kind: 'Verification record',
    id: record.id,
    title: restorePoint.machine || 'A machine without a name',
    lede: html`Restore point ${restorePoint.id}, taken ${when(restorePoint.takenAt)}. Verified ${when(record.startedAt)}, which took ${formatSeconds(record.durationMs / 1000)}.`,
    top: recordTop(record),
    parts: [
      part('Why', why(record)),
      part('What to do', whatToDo(record)),
      part('What was proven, and what was not', coverage(record)),
      part('Consistency and recovery', stateAtCapture(record)),
      part('Ways back', ways(dossier)),
      part('Databases', databases(record)),
      part('Checks', checks(record, setting.checks)),
      part('Trends', trends(dossier)),
      part('What was found in the guest', guest(record)),
      part('Isolation and deviations', isolation(record)),
      part('Environment', environment(record)),
      part('Selection', selection(record)),
      part('Sign-offs', signOffs(dossier.signOffs, record.id)),
      part('Files', files(record, folder)),
      part('Evidence', chain(dossier)),
      part('Rules that this serves', rules(setting.rules, subjectOf(dossier), setting.rulesInFull)),
    ],
    ...{ writtenAt: setting.writtenAt, version: setting.version },
  });
}

export function subjectOf({ record, earlier, signOffs: signed, place }: RecordDossier): Subject {
  const instants = earlier.map(({ startedAt }) => startedAt);
  return { records: [record], drill: null, signOffs: signed, earlier: instants, stored: place !== null, signed: (place?.keyIds.length ?? 0) > 0 };
}
