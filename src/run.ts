/**
 * The main flow: one restore point in, one record out, one function per stage. Read this file first, src/types.ts second.
 * Labs do not know checks, checks do not know labs beyond their interface; this file alone knows every stage.
 */
import { setMaxListeners } from 'node:events';
import type { Check, CheckTarget, EngineFinder } from './check.js';
import { InterruptedError, LabError, SnapproofError } from './errors.js';
import { type DigestResult, digestFiles, filesToDigest, openImages } from './images/index.js';
import { inspectGuest, inspectVolumes } from './inspection/inspect.js';
import { buildRecord } from './ledger/index.js';
import { openWorkFolder } from './process/work-folder.js';
import { describeEnvironment, describeIsolation } from './runner/environment.js';
import { ignoredFiles } from './runner/ignored-files.js';
import { NOTHING_INSPECTED, runStage } from './runner/run-checks.js';
import { RunLabs } from './runner/run-labs.js';
import { type Observer, StageClock } from './runner/stages.js';
import { untestedWays } from './runner/untested-ways.js';
import { foldVerdict } from './runner/verdict.js';
import type { CheckResult, CheckStage, Inspection, Policy, RestorePoint, SnapshotImage, UntestedItem, VerificationRecord } from './types.js';

export interface RunRequest {
  restorePoint: RestorePoint;
  policy: Policy;
  checks: Check[];
  finders: EngineFinder[];
  observer: Observer;
  signal: AbortSignal;
}

/** What the stages inside the labs add up to. */
interface Examination {
  checks: CheckResult[];
  inspection: Inspection | null;
  untested: UntestedItem[];
}

/** Verifies one restore point. Its files are only ever read; everything that is written goes to a work folder that is gone afterwards. */
export async function verifyRestorePoint(request: RunRequest): Promise<VerificationRecord> {
  const startedAt = new Date();
  const start = performance.now();
  const { restorePoint, policy, signal } = request;
  const clock = new StageClock(request.observer);
  setMaxListeners(0, signal); // every tool that runs listens, and a machine may have many disks
  const images = await clock.run('images', () => openImages(restorePoint, policy.allowedFolders));
  const folder = await openWorkFolder();
  const labs = new RunLabs(folder, policy, signal);
  const digests = digestFiles(filesToDigest(restorePoint, images), {
    signal,
    progress: (progress) => request.observer.sink({ ...progress, stage: 'digests' }),
  });
  digests.catch(() => {});
  let examination: Examination;
  let digested: DigestResult;
  let isolation: VerificationRecord['isolation'];
  let cleanup: VerificationRecord['cleanup'];
  try {
    examination = await examine(request, images, labs, clock);
    digested = await clock.run('digests', () => digests);
    isolation = await describeIsolation(labs);
  } catch (error) {
    throw signal.aborted ? interrupted(signal, error) : error;
  } finally {
    cleanup = await clock.run('cleanup', () => labs.close().then(() => folder.close()));
  }
  const checks = examination.checks;
  const extraUntested = [...examination.untested, ...changedFiles(digested), ...untestedWays(restorePoint, policy), ...ignoredFiles(restorePoint)];
  const verdict = foldVerdict({ checks, inspection: examination.inspection, declared: restorePoint.declaredConsistency, extraUntested });
  return buildRecord({
    restorePoint,
    files: digested.digests,
    verdict,
    checks,
    inspection: examination.inspection,
    environment: await describeEnvironment(),
    isolation,
    deviations: [],
    stages: clock.stages,
    cleanup,
    startedAt,
    finishedAt: new Date(),
    durationMs: performance.now() - start,
  });
}

/** What is on the disks, without judgement. The same labs as a verification, and no check. */
export async function inspectRestorePoint(request: Omit<RunRequest, 'checks'>): Promise<{ images: SnapshotImage[]; inspection: Inspection }> {
  const { restorePoint, policy, signal } = request;
  const clock = new StageClock(request.observer);
  setMaxListeners(0, signal); // every tool that runs listens, and a machine may have many disks
  const images = await clock.run('images', () => openImages(restorePoint, policy.allowedFolders));
  const readable = images.filter((image) => image.refused === null);
  if (readable.length === 0) return { images, inspection: NOTHING_INSPECTED };
  const folder = await openWorkFolder();
  const labs = new RunLabs(folder, policy, signal);
  try {
    const obstacle = await clock.run('expose', () => expose(readable, labs));
    if (obstacle) return { images, inspection: { ...NOTHING_INSPECTED, untested: [unreachable(obstacle)] } };
    const volumes = await clock.run('volumes', () => inspectVolumes(labs.exposure, () => labs.session()));
    await clock.run('appliance', () => labs.session());
    const files = await labs.openFiles(volumes.volumes);
    return { images, inspection: await clock.run('inspect', () => inspectGuest(volumes, files, request.finders)) };
  } catch (error) {
    throw signal.aborted ? interrupted(signal, error) : error;
  } finally {
    await clock.run('cleanup', () => labs.close().then(() => folder.close()));
  }
}

/** Images first; when they are sound, what lies on them, deeper stage by stage. */
async function examine(request: RunRequest, images: SnapshotImage[], labs: RunLabs, clock: StageClock): Promise<Examination> {
  const readable = images.filter((image) => image.refused === null);
  const untested: UntestedItem[] = [];
  const stage = stageRunner(request, labs, clock);
  try {
    const obstacle = readable.length > 0 ? await clock.run('expose', () => expose(readable, labs)) : null;
    const imageResults = await stage('image', NOTHING_INSPECTED, imageTargets(images));
    if (readable.length === 0 || imageResults.some((result) => result.outcome === 'fail')) return { checks: imageResults, inspection: null, untested };
    if (obstacle) throw obstacle;
    return await examineGuest(request, labs, clock, stage, imageResults);
  } catch (error) {
    if (request.signal.aborted || !(error instanceof SnapproofError)) throw error;
    untested.push(unreachable(error));
    return { checks: stage.results, inspection: null, untested };
  }
}

/** What keeps the disks from being opened. The checks of the images say why, so it must not keep those from running. */
async function expose(images: SnapshotImage[], labs: RunLabs): Promise<SnapproofError | null> {
  try {
    await labs.openExposure(images);
  } catch (error) {
    if (error instanceof SnapproofError) return error;
    throw error;
  }
  labs.launchAppliance();
  return null;
}

function unreachable(error: SnapproofError): UntestedItem {
  return { what: 'the guest on these disks', why: [error.message, error.advice].filter(Boolean).join(' '), holdsData: true };
}

async function examineGuest(request: RunRequest, labs: RunLabs, clock: StageClock, stage: StageRunner, before: CheckResult[]): Promise<Examination> {
  const volumes = await clock.run('volumes', () => inspectVolumes(labs.exposure, () => labs.session()));
  const checks = [...before];
  await clock.run('appliance', () => labs.session());
  checks.push(...(await stage('volume', volumes, [...imageTargets(labs.exposure.images), ...volumeTargets(volumes)])));
  const files = await labs.openFiles(volumes.volumes);
  const inspection = await clock.run('inspect', () => inspectGuest(volumes, files, request.finders));
  const instances = instanceTargets(inspection);
  checks.push(...(await stage('static', inspection, instances)));
  checks.push(...(await stage('logical', inspection, instances)));
  checks.push(...(await stage('recovery', inspection, instances)));
  return { checks, inspection, untested: unjudgedInstances(inspection, checks) };
}

interface StageRunner {
  (stage: CheckStage, inspection: Inspection, targets: CheckTarget[]): Promise<CheckResult[]>;
  /** What was judged so far, for when a later stage cannot run. */
  results: CheckResult[];
}

/** Reading may go side by side; what writes to the overlay may not. */
const CONCURRENCY: Record<CheckStage, number> = { image: 2, volume: 1, static: 2, logical: 2, recovery: 1 };

function stageRunner(request: RunRequest, labs: RunLabs, clock: StageClock): StageRunner {
  const shared = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    if (!shared.has(key)) shared.set(key, work());
    return shared.get(key) as Promise<T>;
  };
  const run: StageRunner = async (stage, inspection, targets) => {
    const { restorePoint, policy, checks, signal } = request;
    const results = await clock.run(stage, (progress) =>
      runStage({
        stage,
        checks,
        targets,
        policy,
        concurrency: CONCURRENCY[stage],
        blockedBy: null,
        context: { restorePoint, inspection, labs, signal, progress, once },
      }),
    );
    run.results.push(...results);
    return results;
  };
  run.results = [];
  return run;
}

function imageTargets(images: SnapshotImage[]): CheckTarget[] {
  return images.map((image) => ({ kind: 'image', id: image.name, image }));
}

function volumeTargets(inspection: Inspection): CheckTarget[] {
  return inspection.volumes.map((volume) => ({ kind: 'volume', id: volume.id, volume }));
}

function instanceTargets(inspection: Inspection): CheckTarget[] {
  return inspection.databases.map((instance) => ({ kind: 'instance', id: instance.id, instance }));
}

/** A database that no check had anything to say about must not vanish from the record. */
function unjudgedInstances(inspection: Inspection, checks: CheckResult[]): UntestedItem[] {
  return inspection.databases
    .filter((instance) => !checks.some((check) => check.target === instance.id))
    .map((instance) => ({ what: instance.id, why: 'there is no check for this engine yet', holdsData: true }));
}

/** Bytes that changed under our eyes were not the bytes that were tested. */
function changedFiles(digested: DigestResult): UntestedItem[] {
  return digested.findings.map((finding) => ({ what: String(finding.where.file ?? 'a file of the restore point'), why: finding.message, holdsData: true }));
}

function interrupted(signal: AbortSignal, cause: unknown): Error {
  return signal.reason instanceof InterruptedError ? signal.reason : new LabError({ code: 'run.aborted', message: 'the run was ended', cause });
}
