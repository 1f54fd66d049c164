/** The page of one drill: what it says as a whole, each restore point in a row, and in full what did not pass. */
import type { Subject } from '../../../compliance/types.js';
import type { DrillDossier, Setting } from '../../dossier.js';
import { formatSeconds } from '../../units.js';
import { renderPage } from '../page.js';
import { part, when } from '../parts.js';
import { rules } from '../rules.js';
import { signOffs } from '../sign-offs.js';
import { html } from '../template.js';
import { attention } from './attention.js';
import { circumstances, isolation, selection } from './circumstances.js';
import { controls } from './controls.js';
import { drillChain } from './evidence.js';
import { items } from './items.js';
import { objectives } from './objectives.js';
import { overdue, reasons } from './reasons.js';
import { drillTop } from './top.js';
import { drillTrends } from './trends.js';

export function renderDrillPage(dossier: DrillDossier, setting: Setting): string {
  const { drill } = dossier;
  const seconds = (Date.parse(drill.finishedAt) - Date.parse(drill.startedAt)) / 1000;
  return renderPage({
    kind: 'Drill',
    id: drill.id,
    title: `Drill ${drill.name}`,
    lede: html`Began ${when(drill.startedAt)}, ended ${when(drill.finishedAt)}${Number.isFinite(seconds) && seconds >= 0 && html`, took ${formatSeconds(seconds)}`}.`,
    top: drillTop(dossier),
    parts: [
      part('Why', reasons(drill)),
      part('Overdue', overdue(drill)),
      part('What needs somebody', attention(dossier)),
      part('Restore points', items(dossier)),
      part('Recovery objectives', objectives(dossier)),
      part('Known-bad restore points', controls(drill)),
      part('Trends', drillTrends(dossier)),
      part('Selection', selection(drill)),
      part('Isolation and deviations', isolation(dossier)),
      part('Circumstances', circumstances(drill)),
      part('Sign-offs', signOffs(dossier.signOffs, drill.id)),
      part('Evidence', drillChain(dossier)),
      part('Rules that this serves', rules(setting.rules, drillSubject(dossier), setting.rulesInFull)),
    ],
    ...{ writtenAt: setting.writtenAt, version: setting.version },
  });
}

export function drillSubject({ drill, records, earlier, signOffs: signed, place }: DrillDossier): Subject {
  const own = [...records.values()].filter(({ record }) => record.drill?.selection.how !== 'control').map(({ record }) => record);
  const instants = earlier.map(({ startedAt }) => startedAt);
  return { records: own, drill, signOffs: signed, earlier: instants, stored: place !== null, signed: (place?.keyIds.length ?? 0) > 0 };
}
