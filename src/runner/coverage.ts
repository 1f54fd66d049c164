/** What was not tested, from everybody who knows of something: a hole nobody mentions must not read as a pass. */
import type { CheckResult, Inspection, InstanceResult, UntestedItem } from '../types.js';

interface CoverageInput {
  checks: CheckResult[];
  inspection: Inspection | null;
  instances: InstanceResult[];
  extraUntested: UntestedItem[];
}

/** Whether the check came to a judgement; skipped and errored ones tested nothing. */
export function isJudged(check: CheckResult): boolean {
  return check.outcome === 'pass' || check.outcome === 'fail';
}

/** Each thing once; what holds data first, then in the order told. */
export function collectUntested({ checks, inspection, instances, extraUntested }: CoverageInput): UntestedItem[] {
  const told = [
    ...(inspection?.untested ?? [NOT_INSPECTED]),
    ...(inspection?.unjudged ?? []).map(unjudged),
    ...checks.flatMap((check) => check.untested),
    ...checks.filter((check) => check.outcome === 'error').map(errored),
    ...extraUntested,
  ];
  told.push(...overlooked(checks, inspection, told));
  const all = merge([...told, ...undecided(instances, inspection, told)]);
  return [...all.filter((item) => item.holdsData), ...all.filter((item) => !item.holdsData)];
}

const NOT_INSPECTED: UntestedItem = {
  what: 'what lies on the disks (volumes, file systems, databases)',
  why: 'the disks could not be inspected',
  holdsData: true,
};

function unjudged({ engine, location }: Inspection['unjudged'][number]): UntestedItem {
  const what = `${engine} database in ${location.volume}:${location.path}`;
  return { what, why: 'snapproof has no check for this database yet; only the file system under it was looked at', holdsData: true };
}

/** A check that could not run leaves open what it would have proved. */
function errored(check: CheckResult): UntestedItem {
  return { what: `${check.id} on ${check.target}`, why: check.summary, holdsData: check.required };
}

/** Volumes with data and databases at which no check came to a judgement and which nobody listed as untested. */
function overlooked(checks: CheckResult[], inspection: Inspection | null, told: UntestedItem[]): UntestedItem[] {
  const judged = new Set(checks.filter((check) => isJudged(check) && !isOfWholeDisk(check)).map((check) => check.target));
  const listed = told.filter((item) => item.holdsData).map((item) => item.what);
  return thingsWithData(inspection)
    .filter(({ id }) => !judged.has(id) && !listed.some((what) => names(what, id)))
    .map(({ what }) => ({ what, why: 'no check looked at it', holdsData: true }));
}

/** A database whose state is unknown is not proven, also when every check that looked at it passed. */
function undecided(instances: InstanceResult[], inspection: Inspection | null, told: UntestedItem[]): UntestedItem[] {
  const ids = new Set((inspection?.databases ?? []).map(({ id }) => id));
  const listed = told.filter((item) => item.holdsData).map((item) => item.what);
  return instances
    .filter(({ id, state }) => state === 'unknown' && ids.has(id) && !listed.some((what) => names(what, id)))
    .map(({ id, why }) => ({ what: `the state of ${id}`, why: `it is unknown: ${why}`, holdsData: true }));
}

/** A disk without partition table and the file system on it have the same name; a look at the image or its tables says nothing of the latter. */
function isOfWholeDisk({ id }: CheckResult): boolean {
  return id.startsWith('image/') || id.startsWith('volume/');
}

function thingsWithData(inspection: Inspection | null): { id: string; what: string }[] {
  const volumes = (inspection?.volumes ?? []).flatMap(({ id, content }) => {
    if (content.kind === 'filesystem') return [{ id, what: `${content.type} file system on ${id}` }];
    if (content.kind === 'encrypted') return [{ id, what: `encrypted volume ${id} (${content.scheme})` }];
    return content.kind === 'unknown' ? [{ id, what: `unrecognised data on ${id}` }] : [];
  });
  const databases = (inspection?.databases ?? []).map(({ id }) => ({ id, what: `database ${id}` }));
  return [...volumes, ...databases];
}

/** Whether the text names this id and not a longer one: `disk0/p1` is not in `disk0/p12`, nor is `disk0` in `disk0/p1`. */
function names(text: string, id: string): boolean {
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + id.length] ?? ' ';
    if (!/[\w/-]/.test(before) && !/[\w/-]/.test(after)) return true;
  }
  return false;
}

function merge(items: UntestedItem[]): UntestedItem[] {
  const merged = new Map<string, UntestedItem>();
  for (const item of items) {
    const key = JSON.stringify([item.what, item.why]);
    merged.set(key, { ...item, holdsData: item.holdsData || (merged.get(key)?.holdsData ?? false) });
  }
  return [...merged.values()];
}
