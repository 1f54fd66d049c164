/** What was found on the disks: the scope that everything else is about. */
import type { OperatingSystem, Volume, VolumeContent } from '../../../types.js';
import type { FilledRecord } from '../../dossier.js';
import { formatBytes } from '../../units.js';
import { listed, table } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = { volumes: 200, systems: 20, unjudged: 100 };

export function guest({ inspection }: FilledRecord): Value {
  if (!inspection) return null;
  const { volumes, systems, unjudged } = inspection;
  return html`${systems.length > 0 && html`<ul class="plain">${listed(systems, MOST.systems, system)}</ul>`}
${volumes.length > 0 && html`<h3>Volumes</h3>${table('Volumes of the guest', COLUMNS, volumes.slice(0, MOST.volumes).map(volume))}`}
${
  unjudged.length > 0 &&
  html`<h3>Recognised, but no check can judge it</h3><ul>${listed(unjudged, MOST.unjudged, ({ engine, location }) => html`<li>${engine}: ${location.volume}:${location.path}</li>\n`)}</ul>`
}`;
}

const COLUMNS = [{ name: 'Volume' }, { name: 'Size', number: true }, { name: 'Holds' }, { name: 'State at capture' }];

function system({ productName, arch, hostname, root, kernels }: OperatingSystem): Markup {
  const host = hostname === '' ? '' : `, host name ${hostname}`;
  return html`<li><span class="what">${productName}</span> (${arch})${host}, on ${root.volume}<br><span class="how">kernels: ${kernels.join(', ') || 'none found'}</span></li>\n`;
}

function volume({ id, sizeBytes, content, captureState }: Volume): Value[] {
  const state = captureState && html`${captureState.state}<br><span class="how">${captureState.why}</span>`;
  return [id, formatBytes(sizeBytes), holds(content), state ?? '–'];
}

function holds(content: VolumeContent): string {
  if (content.kind === 'filesystem') return [content.type, content.label ? `"${content.label}"` : ''].filter(Boolean).join(' ');
  if (content.kind === 'encrypted') return `encrypted (${content.scheme})`;
  if (content.kind === 'boot-code') return content.what;
  if (content.kind === 'lvm-member') return `part of the volume group ${content.group ?? 'without a name'}`;
  if (content.kind === 'raid-member') return 'part of a RAID array';
  if (content.kind === 'unknown') return 'not recognised';
  return content.kind;
}
