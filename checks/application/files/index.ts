/** Check `application/files`: see README.md beside this file. */
import { posix } from 'node:path';
import { type CheckContext, defineCheck, type ExpectationTarget } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { FileExpectation, GuestEntry, GuestLocation, Inspection } from '../../../src/types.js';
import { targetOf } from '../targets.js';
import { judge } from './judge.js';

export interface FileEvidence {
  expectation: FileExpectation;
  takenAt: string | null;
  /** Where the path leads, links followed; null: nothing is there, and everything was looked at. */
  found: Pick<GuestEntry, 'location' | 'type' | 'sizeBytes' | 'modifiedAt'> | null;
}

export default defineCheck<FileEvidence, Record<string, never>>({
  id: 'application/files',
  title: 'The file that the policy names is there, large and young enough',
  failureTitle: 'The file that the policy names is missing, too small or too old',
  description: 'Looks for a file of the guest, after the replay of its file system, and holds size and age at the capture against the policy.',
  stage: 'logical',
  depth: 'static',
  targetKind: 'expectation',
  lab: 'appliance',
  timeoutMs: 15 * 60_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: (target) => (target.kind === 'expectation' && 'file' in target.expectation ? null : 'it is no file'),
  collect: (target, context) => collect(targetOf(target), context),
  evaluate: judge,
});

/** @throws LabError for whatever leaves the question open. */
async function collect({ expectation }: ExpectationTarget, context: CheckContext<unknown>): Promise<FileEvidence> {
  if (!('file' in expectation)) throw new TypeError('this check looks at files');
  const { takenAt } = context.restorePoint;
  if (expectation.maxAge !== undefined && takenAt === null) throw open('when this restore point was taken is not known, so no age can be told');
  const { files } = context.labs;
  const place = placeOf(expectation, context.inspection);
  const at = await files.resolve(place);
  const entry = at && (await files.stat(at));
  if (entry) {
    const { location, type, sizeBytes, modifiedAt } = entry;
    return { expectation, takenAt, found: { location, type, sizeBytes, modifiedAt } };
  }
  const unread = context.inspection.untested.find((item) => item.holdsData);
  if (unread) throw open(`it was not found, but ${unread.what} could not be looked at (${unread.why})`);
  return { expectation, takenAt, found: null };
}

/** On the volume that the policy names; else where the one operating system mounts it; else on the only file system there is. */
function placeOf({ file, volume }: FileExpectation, { systems, volumes }: Inspection): GuestLocation {
  if (volume !== undefined) {
    if (!volumes.some(({ id }) => id === volume)) throw open(`there is no volume ${volume} in this restore point`);
    return { volume, path: posix.normalize(file) };
  }
  const [system, ...others] = systems;
  if (system && others.length === 0) return inSystem(file, system);
  const [only, ...more] = volumes.filter(({ content }) => content.kind === 'filesystem');
  if (!system && only && more.length === 0) return { volume: only.id, path: posix.normalize(file) };
  throw open(`which volume is meant is not known (${systems.length} operating systems, ${more.length + (only ? 1 : 0)} file systems): name it with "volume"`);
}

function inSystem(file: string, system: Inspection['systems'][number]): GuestLocation {
  const path = posix.normalize(file);
  const holds = (point: string) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
  const mount = system.mounts.filter(({ mountPoint }) => holds(mountPoint)).sort((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (!mount) return { volume: system.root.volume, path: posix.join(system.root.path, path) };
  if (!mount.location) throw open(`what the guest mounts at ${mount.mountPoint} is not in this restore point`);
  return { volume: mount.location.volume, path: posix.join(mount.location.path, posix.relative(mount.mountPoint, path)) };
}

function open(why: string): LabError {
  return new LabError({ code: 'application.files.open', message: `the file was not looked at: ${why}.` });
}
