/** Reads a drill policy: YAML or JSON, by its schema, every message with the line. Nothing in it is ever run but the command of a source. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { type CheckOptions, completePolicy, type PolicyOverrides, parsePolicyText, policySchema, readPolicyFile } from '../../policy/index.js';
import { nearest } from '../../schema/nearest.js';
import { validate } from '../../schema/validate.js';
import ownSchema from './drill-policy.schema.json' with { type: 'json' };
import { durationSeconds } from './duration.js';
import { onlyOne, type Place, wrong } from './place.js';
import { type StatedTell, tellRule } from './tell.js';
import type { DrillPolicy, DrillSource, MachineRule, SelectRule } from './types.js';

interface Stated {
  name?: string;
  sources: StatedSource[];
  machines?: (StatedRule & PolicyOverrides)[];
  select?: { how: SelectRule['how']; count?: number; seed?: string; for?: string };
  deadline?: string;
  parallel?: number;
  memoryMiB?: number;
  controls?: boolean;
  trustStamps?: boolean;
  tell?: StatedTell[];
}

interface StatedSource {
  folders?: string;
  libvirt?: string;
  proxmox?: string;
  paths?: string[];
  command?: string[];
  timeout?: string;
  queue?: true;
}

interface StatedRule {
  match: string | string[];
  every?: string;
  rto?: string;
  rpo?: string;
  require?: string[];
  tags?: Record<string, string>;
  retired?: boolean;
}

/** The drill's own fields, and in each machine all fields of the policy of `verify`. */
export const drillPolicySchema: object = combinedSchema();

/** @throws UsageError with file, line and field. */
export async function loadDrillPolicy(file: string, checks: readonly CheckOptions[]): Promise<DrillPolicy> {
  const bytes = await readPolicyFile(file);
  return parseDrillPolicy(bytes, realpathSync(file), checks);
}

/** @param file real path: what the policy names is relative to its folder. @throws UsageError */
export function parseDrillPolicy(bytes: string, file: string, checks: readonly CheckOptions[]): DrillPolicy {
  const text = parsePolicyText(bytes, file);
  validate(drillPolicySchema, text, { file, code: 'drill-policy.invalid' });
  const stated = text.value as Stated;
  const place = { file, text };
  return {
    path: file,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    name: stated.name ?? (basename(file, extname(file)).replace(/[^A-Za-z0-9._ -]/g, '-') || 'drill'),
    sources: stated.sources.map((source, index) => drillSource(source, index, place)),
    machines: (stated.machines ?? [{ match: '*' }]).map((rule, index) => machineRule(rule, index, place, checks)),
    select: selectRule(stated.select, place),
    deadline: stated.deadline ?? null,
    parallel: stated.parallel ?? null,
    memoryMiB: stated.memoryMiB ?? null,
    controls: stated.controls ?? false,
    trustStamps: stated.trustStamps ?? false,
    tell: (stated.tell ?? []).map((tell, index) => tellRule(tell, index, place)),
  };
}

const SOURCE_KINDS = ['folders', 'libvirt', 'proxmox', 'paths', 'command', 'queue'] as const;

function drillSource(source: StatedSource, index: number, place: Place): DrillSource {
  const kind = onlyOne(source, SOURCE_KINDS, ['sources', index], place);
  const folder = dirname(place.file);
  if (source.timeout !== undefined && kind !== 'command') throw wrong(place, ['sources', index, 'timeout'], '"timeout" belongs to a command');
  switch (kind) {
    case 'folders':
      return { kind, template: resolve(folder, source.folders ?? '') };
    case 'paths':
      return { kind, paths: (source.paths ?? []).map((path) => resolve(folder, path)) };
    case 'command':
      return { kind, argv: source.command ?? [], timeoutSeconds: durationSeconds(source.timeout ?? '2m'), cwd: folder };
    case 'queue':
      return { kind };
    default:
      return { kind, folder: resolve(folder, source[kind] ?? '') };
  }
}

function machineRule(stated: StatedRule & PolicyOverrides, index: number, place: Place, checks: readonly CheckOptions[]): MachineRule {
  const { match, every, rto, rpo, require, tags, retired, ...overrides } = stated;
  const { allowedFolders } = overrides;
  if (allowedFolders) overrides.allowedFolders = allowedFolders.map((folder) => resolve(dirname(place.file), folder));
  assertRequired(require ?? [], checks, ['machines', index, 'require'], place);
  const seconds = (text: string | undefined): number | null => (text === undefined ? null : durationSeconds(text));
  return {
    match: [match].flat(),
    everySeconds: seconds(every),
    rtoSeconds: seconds(rto),
    rpoSeconds: seconds(rpo),
    require: require ?? [],
    tags: tags ?? {},
    retired: retired ?? false,
    policy: completePolicy([overrides], checks, { ...place, at: ['machines', index] }),
  };
}

function assertRequired(required: string[], checks: readonly CheckOptions[], at: (string | number)[], place: Place): void {
  const names = [...new Set(checks.flatMap(({ id }) => [id, id.split('/')[0] ?? id]))];
  required.forEach((name, index) => {
    if (names.includes(name)) return;
    const guess = nearest(name, names);
    throw wrong(place, [...at, index], `there is no check or family "${name}"; ${guess ? `did you mean "${guess}"?` : 'see "snapproof checks".'}`);
  });
}

function selectRule(stated: Stated['select'], place: Place): SelectRule {
  const { how = 'latest', count, seed, for: span } = stated ?? {};
  if (how === 'random' && count === undefined) throw wrong(place, ['select'], 'random needs "count": how many restore points');
  if (how === 'unverified' && span === undefined)
    throw wrong(place, ['select'], 'unverified needs "for": 7d takes what no record of the last seven days is about');
  if (how !== 'random' && seed !== undefined) throw wrong(place, ['select', 'seed'], '"seed" belongs to random');
  if (how !== 'unverified' && span !== undefined) throw wrong(place, ['select', 'for'], '"for" belongs to unverified');
  return { how, count: count ?? null, seed: seed ?? null, forSeconds: span === undefined ? null : durationSeconds(span) };
}

interface SchemaParts {
  properties: Record<string, object>;
  definitions: Record<string, object>;
}

function combinedSchema(): object {
  const verify = policySchema as SchemaParts;
  const own = ownSchema as unknown as SchemaParts;
  const machines = own.properties.machines as { items: SchemaParts };
  const items = { ...machines.items, properties: { ...machines.items.properties, ...verify.properties } };
  return {
    ...own,
    properties: { ...own.properties, machines: { ...machines, items } },
    definitions: { ...own.definitions, ...verify.definitions },
  };
}
