/** An inspection for people: disks, volumes, systems, databases. It judges nothing. */
import type { Inspection, NetworkOffer, RestorePoint, SnapshotImage, Volume, VolumeContent } from '../types.js';
import type { MemoryFacts } from '../ways.js';
import { visible } from './escape.js';
import { describeMemory } from './memory.js';
import { wrap } from './text.js';
import { formatBytes } from './units.js';

/** What `inspect` found. `memory`: null when there is none; a text says why it could not be read. */
export interface Inspected {
  images: SnapshotImage[];
  inspection: Inspection;
  memory: MemoryFacts | string | null;
}

/** Ends with a line feed. Guest strings are made harmless. */
export function renderInspection(restorePoint: RestorePoint, { images, inspection, memory }: Inspected, width: number): string {
  const sections = [
    [`${restorePoint.machine}, taken ${restorePoint.takenAt ?? 'at an unknown time'}`],
    titled('Disks', images.map(describeImage)),
    titled('Saved memory', describeMemory(memory)),
    titled('Volumes', inspection.volumes.map(describeVolume)),
    titled('Operating systems', inspection.systems.flatMap(describeSystem)),
    titled('Databases', inspection.databases.flatMap(describeDatabase)),
    titled(
      'Recognised, but no check can judge it',
      inspection.unjudged.map(({ engine, location }) => `${engine}: ${location.volume}:${location.path}`),
    ),
    titled(
      'Could not be looked at',
      inspection.untested.map(({ what, why }) => `${what}: ${why}`),
    ),
  ];
  const blocks = sections.filter((section) => section.length > 0).map((section) => section.flatMap((line) => wrapLine(line, width)).join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function titled(title: string, lines: string[]): string[] {
  return lines.length > 0 ? [title, ...lines.map((line) => `  ${line}`)] : [];
}

function wrapLine(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return wrap(visible(line.trimStart()), { width, first: indent, rest: `${indent}  ` });
}

function describeImage(image: SnapshotImage): string {
  const chain = image.layers.length > 1 ? `, a chain of ${image.layers.length} files` : '';
  const snapshots = image.internalSnapshots.map((snapshot) => `${snapshot.name} (${snapshot.takenAt})`).join(', ');
  const refused = image.refused ? `; REFUSED: ${image.refused.message}` : '';
  return `${image.name}: ${image.format}, ${formatBytes(image.virtualSizeBytes)}${chain}${snapshots ? `; internal snapshots: ${snapshots}` : ''}${refused}`;
}

function describeVolume(volume: Volume): string {
  const state = volume.captureState ? `; ${volume.captureState.state}: ${volume.captureState.why}` : '';
  return `${volume.id} (${formatBytes(volume.sizeBytes)}): ${describeContent(volume.content)}${state}`;
}

function describeContent(content: VolumeContent): string {
  switch (content.kind) {
    case 'filesystem':
      return [content.type, content.label ? `"${content.label}"` : ''].filter(Boolean).join(' ');
    case 'swap':
      return content.hibernated ? 'swap, with a hibernated system in it' : 'swap';
    case 'lvm-member':
      return `part of the volume group ${content.group ?? 'without a name'}`;
    case 'raid-member':
      return `part of a RAID array (${content.level ?? 'unknown level'})`;
    case 'encrypted':
      return `encrypted (${content.scheme})`;
    case 'boot-code':
      return content.what;
    case 'unknown':
      return `not recognised, begins with ${content.firstBytesHex}`;
    case 'empty':
      return 'empty';
  }
}

function describeSystem(system: Inspection['systems'][number]): string[] {
  const mounts = system.mounts.map(
    (mount) =>
      `  ${mount.mountPoint}: ${mount.location ? `${mount.location.volume}${mount.location.path === '/' ? '' : mount.location.path}` : 'not in this restore point'} (${mount.spec}, ${mount.type})`,
  );
  return [
    `${system.productName} (${system.arch})${system.hostname ? `, host name ${system.hostname}` : ''}, on ${system.root.volume}`,
    `  kernels: ${system.kernels.join(', ') || 'none found'}`,
    ...mounts,
    ...(system.network ? describeOffer(system.network) : []),
  ];
}

function describeOffer({ services, addresses }: NetworkOffer): string[] {
  const outside = services.filter(({ reachable }) => reachable).map(({ protocol, port, address, name }) => `${protocol} ${address ?? '*'}:${port} (${name})`);
  const places = addresses.map(
    ({ method, address, prefix, interface: card }) => `${address ?? method}${prefix === null ? '' : `/${prefix}`}${card ? ` (${card})` : ''}`,
  );
  return [
    ...(outside.length > 0 ? [`  offers over the network: ${outside.join(', ')}`] : []),
    ...(places.length > 0 ? [`  addresses: ${places.join(', ')}`] : []),
  ];
}

function describeDatabase(instance: Inspection['databases'][number]): string[] {
  const links = instance.links.map(
    (link) => `  ${link.what}: ${link.target} (${link.location ? `${link.location.volume}:${link.location.path}` : 'not in this restore point'})`,
  );
  return [`${instance.engine}${instance.version ? ` ${instance.version}` : ''} in ${instance.location.volume}:${instance.location.path}`, ...links];
}
