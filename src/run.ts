/**
 * The main flow: one restore point in, one record out, one function per stage. Read this file first, src/types.ts second.
 * Labs do not know checks, checks do not know labs beyond their interface; this file alone knows every stage.
 */
import { setMaxListeners } from 'node:events';
import { prepareThreads } from './bytes/page-threads.js';
import type { Check, EngineFinder } from './check.js';
import { InterruptedError, LabError, SnapproofError } from './errors.js';
import { changesSince, type DigestResult, digestFiles, filesToDigest, openImages, stampFiles } from './images/index.js';
import { inspectGuest, inspectVolumes } from './inspection/inspect.js';
import { buildRecord, digestOf } from './ledger/index.js';
import { openWorkFolder } from './process/work-folder.js';
import { resultsAfter, withOverlays } from './runner/afterwards.js';
import { describeEnvironment, describeIsolation } from './runner/environment.js';
import { expectationTargets, unreachedExpectations } from './runner/expectations.js';
import { changedFiles, nothingOnDisks, unjudgedInstances } from './runner/gaps.js';
import { ignoredFiles } from './runner/ignored-files.js';
import { NOTHING_INSPECTED } from './runner/run-checks.js';
import { RunLabs } from './runner/run-labs.js';
import { bringsBack, unaskedServices } from './runner/services.js';
import { imageTargets, instanceTargets, memoryTargets, StageRunner, volumeTargets, wayTargets } from './runner/stage-runner.js';
import { type Observer, StageClock } from './runner/stages.js';
import { untestedWays } from './runner/untested-ways.js';
import { foldVerdict } from './runner/verdict.js';
import type { CheckResult, Inspection, Policy, ProgressSink, RestorePoint, SnapshotImage, UntestedItem, VerificationRecord } from './types.js';
import type { MemoryFacts } from './ways.js';

export interface RunRequest {
  restorePoint: RestorePoint;
  policy: Policy;
  checks: Check[];
  finders: EngineFinder[];
  observer: Observer;
  signal: AbortSignal;
  /** Where files are kept beside the record, such as screenshots; they lie there by their digest. */
  artefactFolder: string;
  /** The drill that this belongs to; null: verified by itself. */
  drill: VerificationRecord['drill'];
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
  prepareThreads(); // they start while images are opened and the appliance comes up
  const images = await clock.run('images', () => openImages(restorePoint, policy.allowedFolders));
  const folder = await openWorkFolder();
  const labs = new RunLabs(folder, policy, signal, request.artefactFolder, restorePoint);
  const files = filesToDigest(restorePoint, images);
  const stamps = await stampFiles(files.map((file) => file.path));
  const digests = digestFiles(files, {
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
    digested.findings.push(...(await changesSince(stamps)));
    isolation = await describeIsolation(labs);
  } catch (error) {
    throw signal.aborted ? interrupted(signal, error) : error;
  } finally {
    cleanup = await clock.run('cleanup', () => labs.close().then(() => folder.close()));
  }
  const checks = examination.checks;
  const extraUntested = [...examination.untested, ...changedFiles(digested), ...untestedWays(restorePoint, policy, checks), ...ignoredFiles(restorePoint)];
  extraUntested.push(...unreachedExpectations(policy.expect, checks), ...unaskedServices(policy.services, checks));
  const verdict = foldVerdict({
    checks,
    inspection: examination.inspection,
    declared: restorePoint.declaredConsistency,
    extraUntested,
    order: request.checks.map((check) => check.id),
  });
  return buildRecord({
    restorePoint,
    files: digested.digests,
    verdict,
    checks,
    inspection: examination.inspection,
    policy: { depth: policy.depth, sha256: digestOf(policy) },
    drill: request.drill,
    artefacts: labs.artefacts,
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
export async function inspectRestorePoint(
  request: Omit<RunRequest, 'checks' | 'artefactFolder' | 'drill'>,
): Promise<{ images: SnapshotImage[]; inspection: Inspection; memory: MemoryFacts | string | null }> {
  const { restorePoint, policy, signal } = request;
  const clock = new StageClock(request.observer);
  setMaxListeners(0, signal); // every tool that runs listens, and a machine may have many disks
  const images = await clock.run('images', () => openImages(restorePoint, policy.allowedFolders));
  const readable = images.filter((image) => image.refused === null);
  if (readable.length === 0) return { images, memory: null, inspection: NOTHING_INSPECTED };
  const folder = await openWorkFolder();
  const labs = new RunLabs(folder, policy, signal, null, restorePoint);
  try {
    const obstacle = await clock.run('expose', () => expose(readable, labs));
    const memory = await clock.run('memory', (progress) => readMemory(labs, progress));
    if (obstacle) return { images, memory, inspection: { ...NOTHING_INSPECTED, untested: [unreachable(obstacle)] } };
    const volumes = await clock.run('volumes', () => inspectVolumes(labs.exposure, () => labs.session()));
    await clock.run('appliance', () => labs.session());
    const files = await labs.openFiles(volumes.volumes);
    return { images, memory, inspection: await clock.run('inspect', () => inspectGuest(volumes, files, request.finders, true)) };
  } catch (error) {
    throw signal.aborted ? interrupted(signal, error) : error;
  } finally {
    await clock.run('cleanup', () => labs.close().then(() => folder.close()));
  }
}

/** A text says why it could not be read. */
async function readMemory(labs: RunLabs, progress: ProgressSink): Promise<MemoryFacts | string | null> {
  try {
    return (await labs.memory(progress))?.facts ?? null;
  } catch (error) {
    if (error instanceof SnapproofError && !(error instanceof InterruptedError)) return [error.message, error.advice].filter(Boolean).join(' ');
    throw error;
  }
}

/** Images first; when they are sound, what lies on them, deeper stage by stage. What was found stays when a later stage cannot run. */
async function examine(request: RunRequest, images: SnapshotImage[], labs: RunLabs, clock: StageClock): Promise<Examination> {
  const stages = new StageRunner(request, labs, clock);
  const readable = images.filter((image) => image.refused === null);
  const obstacle = readable.length > 0 ? await clock.run('expose', () => expose(readable, labs)) : null;
  const imageResults = await stages.run('image', NOTHING_INSPECTED, imageTargets(images));
  const examination: Examination = { checks: stages.results, inspection: null, untested: [] };
  if (readable.length === 0 || imageResults.some((result) => result.outcome === 'fail')) return examination;
  try {
    if (obstacle) throw obstacle;
    await examineGuest(request, labs, clock, stages, examination);
    await bringBack(request, labs, clock, stages, examination);
  } catch (error) {
    if (request.signal.aborted || !(error instanceof SnapproofError)) throw error;
    examination.untested.push(unreachable(error));
  }
  return examination;
}

/** What keeps the disks from being opened. The checks of the images say why better, so it must not keep those from running. */
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

async function examineGuest(request: RunRequest, labs: RunLabs, clock: StageClock, stages: StageRunner, examination: Examination): Promise<void> {
  const volumes = await clock.run('volumes', () => inspectVolumes(labs.exposure, () => labs.session()));
  examination.inspection = volumes;
  await clock.run('appliance', () => labs.session());
  await stages.run('volume', volumes, [...imageTargets(labs.exposure.images), ...volumeTargets(volumes)]);
  const files = await labs.openFiles(volumes.volumes);
  const inspection = await clock.run('inspect', () => inspectGuest(volumes, files, request.finders, bringsBack(request.policy.depth)));
  examination.inspection = inspection;
  labs.inspection = inspection;
  const instances = [...instanceTargets(inspection), ...expectationTargets(request.policy.expect, inspection)];
  await stages.run('static', inspection, instances);
  await stages.run('memory', inspection, memoryTargets(request.restorePoint, inspection));
  await stages.run('logical', inspection, instances);
  await stages.run('recovery', inspection, instances);
  examination.untested.push(...unjudgedInstances(inspection, stages.results), ...nothingOnDisks(inspection));
}

/** Both ways back, each on disks as captured; then what the machine left there, when it had shut down in order. */
async function bringBack(request: RunRequest, labs: RunLabs, clock: StageClock, stages: StageRunner, examination: Examination): Promise<void> {
  const ways = wayTargets(request.restorePoint, request.policy);
  if (ways.length === 0) return;
  await labs.closeAppliance();
  await stages.run('life', examination.inspection ?? NOTHING_INSPECTED, ways);
  const left = labs.machines.left();
  if (left.length === 0) return;
  await clock.run('afterwards', async (progress) => {
    const quiet = new StageClock({ sink: progress, stage: (_name, work) => work() });
    for (const { way, overlays } of left) {
      const results = await examineAfter(request, withOverlays(labs.exposure.images, overlays), await labs.apart(way), quiet);
      examination.checks.push(...resultsAfter(way, results));
    }
  });
}

/** The same checks on the same disks, as the machine left them; what the policy expects in the data was asked of the capture. */
async function examineAfter(request: RunRequest, images: SnapshotImage[], labs: RunLabs, clock: StageClock): Promise<CheckResult[]> {
  const after = { ...request, restorePoint: { ...request.restorePoint, memory: null }, policy: { ...request.policy, expect: [] } };
  const stages = new StageRunner(after, labs, clock);
  const examination: Examination = { checks: stages.results, inspection: null, untested: [] };
  try {
    const obstacle = await expose(images, labs);
    if (obstacle) throw obstacle;
    await examineGuest(after, labs, clock, stages, examination);
    return stages.results;
  } finally {
    await labs.close();
  }
}

function interrupted(signal: AbortSignal, cause: unknown): Error {
  return signal.reason instanceof InterruptedError ? signal.reason : new LabError({ code: 'run.aborted', message: 'the run was ended', cause });
}
