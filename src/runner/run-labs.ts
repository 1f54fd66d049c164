/** The labs of one restore point: opened when first needed, all closed together, whatever happened. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../errors.js';
import { applianceEnvironment } from '../labs/acceleration.js';
import { ApplianceLab, type ApplianceSession } from '../labs/appliance/appliance.js';
import { ApplianceFiles } from '../labs/appliance/guest-files.js';
import { EngineRunner } from '../labs/engine/index.js';
import { ExposureLab, type ExposureSession } from '../labs/exposure/exposure.js';
import type { Appliance, CheckLabs, MachineStarter } from '../labs/lab.js';
import { knownLeases } from '../labs/machine/network/index.js';
import { openSandbox, type SandboxSession } from '../labs/sandbox/index.js';
import { keepArtefact } from '../ledger/index.js';
import type { WorkFolder } from '../process/work-folder.js';
import type { Inspection, Policy, ProgressSink, RestorePoint, SnapshotImage, Volume } from '../types.js';
import type { Artefact, DescribedMachine, SavedMemory, Way } from '../ways.js';
import { continuationHere, describeHardware } from './run-hardware.js';
import { RunMachines } from './run-machines.js';
import { openMemory } from './run-memory.js';

export class RunLabs implements CheckLabs {
  /** What was kept, in the order in which it was. */
  readonly artefacts: Artefact[] = [];
  readonly machines: RunMachines;
  readonly sandbox: SandboxSession;
  readonly engine: EngineRunner;
  /** What was found on the disks, as soon as it is known: hardware depends on it. */
  inspection: Inspection | null = null;
  private exposed: ExposureSession | null = null;
  private opened: Promise<SavedMemory | null> | null = null;
  private readonly described = new Map<Way, Promise<DescribedMachine>>();
  private launched: Promise<ApplianceSession> | null = null;
  private guestFiles: ApplianceFiles | null = null;
  /** Ends a launch that nobody waits for any more. */
  private readonly ending = new AbortController();

  constructor(
    private readonly folder: WorkFolder,
    private readonly policy: Policy,
    private readonly signal: AbortSignal,
    /** Null: this run keeps nothing. */
    private readonly artefactFolder: string | null,
    private readonly restorePoint: RestorePoint,
  ) {
    this.sandbox = openSandbox({ fileBytes: policy.limits.overlayBytes });
    this.engine = new EngineRunner({
      choice: policy.engine,
      limitBytes: policy.limits.overlayBytes,
      files: () => this.files,
      appliance: () => this.appliance(),
      sandbox: this.sandbox,
      scratchFolder: () => this.scratchFolder(),
      signal,
    });
    this.machines = new RunMachines({
      lab: () => ({ images: this.exposure.images, workFolder: folder, sandbox: this.sandbox, overlayBytes: policy.limits.overlayBytes }),
      hardware: (way) => this.hardware(way),
      memory: () => this.memory(),
      continuation: ({ facts }) => continuationHere(facts, this.sandbox, signal),
      leases: () => (this.inspection?.systems ?? []).flatMap(({ network }) => (network ? knownLeases(network) : [])),
      snapshot: restorePoint.memory?.snapshot ?? null,
    });
  }

  async openExposure(images: SnapshotImage[]): Promise<void> {
    this.exposed = await new ExposureLab().open({ images, workFolder: this.folder.path, sandbox: this.sandbox }, this.signal);
  }

  get exposure(): ExposureSession {
    if (!this.exposed) throw new LabError({ code: 'run.exposure', message: 'the disks are not open: their images were refused' });
    return this.exposed;
  }

  get files(): ApplianceFiles {
    if (!this.guestFiles) throw new LabError({ code: 'run.files', message: 'the files of the guest could not be reached' });
    return this.guestFiles;
  }

  /** Starts it in the background; whoever needs it waits then. */
  launchAppliance(): void {
    this.launched ??= this.launch();
    this.launched.catch(() => {});
  }

  appliance(): Promise<Appliance> {
    return this.session();
  }

  session(): Promise<ApplianceSession> {
    this.launchAppliance();
    return this.launched as Promise<ApplianceSession>;
  }

  async openFiles(volumes: Volume[]): Promise<ApplianceFiles> {
    this.guestFiles = new ApplianceFiles(await this.session(), this.exposure, volumes);
    return this.guestFiles;
  }

  memory(progress?: ProgressSink): Promise<SavedMemory | null> {
    const { folder, policy, restorePoint, sandbox } = this;
    const signal = AbortSignal.any([this.signal, this.ending.signal]);
    this.opened ??= openMemory(restorePoint, { folder, sandbox, limitBytes: policy.limits.overlayBytes, signal, progress });
    this.opened.catch(() => {});
    return this.opened;
  }

  hardware(way: Way): Promise<DescribedMachine> {
    const { restorePoint, sandbox, inspection, exposure, signal } = this;
    const described = this.described.get(way) ?? describeHardware(way, { restorePoint, sandbox, inspection, exposure, signal, memory: () => this.memory() });
    this.described.set(way, described);
    return described;
  }

  get machine(): MachineStarter {
    return this.machines;
  }

  /** Labs for the same run in a folder of their own, for what a machine left on its disks. */
  async apart(name: string): Promise<RunLabs> {
    const path = join(this.folder.path, name);
    await mkdir(path, { mode: 0o700 });
    return new RunLabs({ ...this.folder, path }, this.policy, this.signal, null, { ...this.restorePoint, memory: null });
  }

  /** Nobody needs it any more: its memory and its disks are free for others. */
  async closeAppliance(): Promise<void> {
    const session = await this.launched?.catch(() => null);
    await session?.close();
  }

  async keep(name: string, mediaType: string, bytes: Uint8Array): Promise<Artefact> {
    if (this.artefactFolder === null) throw new LabError({ code: 'run.artefacts', message: 'this run has no folder to keep files in' });
    const kept = await keepArtefact(this.artefactFolder, name, mediaType, bytes);
    this.artefacts.push(kept);
    return kept;
  }

  async scratchFolder(): Promise<string> {
    const parent = join(this.folder.path, 'scratch');
    await mkdir(parent, { recursive: true, mode: 0o700 });
    return mkdtemp(join(parent, 'check-'));
  }

  /** How host tools were confined, for the record. */
  confinement(): Promise<string> {
    return this.sandbox.confinement();
  }

  async close(): Promise<void> {
    this.ending.abort();
    const session = await this.launched?.catch(() => null);
    await session?.close();
    await this.machines.close();
    await (await this.opened?.catch(() => null))?.close();
    await this.exposed?.close();
    await this.sandbox.close();
    await rm(join(this.folder.path, 'scratch'), { recursive: true, force: true });
  }

  private async launch(): Promise<ApplianceSession> {
    const disks = this.exposure.images.map((image) => this.exposure.overlaySocket(image.name));
    const { overlayBytes, applianceMemoryMiB } = this.policy.limits;
    const environment = { ...(await applianceEnvironment()), ...this.folder.environment() };
    return new ApplianceLab().open(
      { disks, workFolder: this.folder.path, memoryMiB: applianceMemoryMiB, scratchBytes: overlayBytes, environment },
      AbortSignal.any([this.signal, this.ending.signal]),
    );
  }
}
