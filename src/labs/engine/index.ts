/**
 * Recovery by an engine, the guest's own or the host's, as the policy says. `auto` takes what is isolated best: the guest's own in the
 * appliance, a virtual machine, where the guest has one that runs here; else the host's in the sandbox.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError, NotTestedError } from '../../errors.js';
import type { GuestFiles, Policy } from '../../types.js';
import type { Appliance, EngineLab, EngineRequest, EngineUse, Sandbox } from '../lab.js';
import { assertRoom, copyPlanned } from './copy.js';
import { findGuestEngine, type GuestEngine, runInGuest } from './guest-engine.js';
import { findHostEngine, type HostEngine, runOnHost } from './host-engine.js';
import { DATA, planCopy } from './plan-copy.js';

/** The labs it works with, and the policy's choice. */
export interface EngineMeans {
  choice: Policy['engine'];
  limitBytes: number;
  files(): GuestFiles;
  appliance(): Promise<Appliance>;
  sandbox: Sandbox;
  scratchFolder(): Promise<string>;
  signal: AbortSignal;
}

type Answer = Awaited<ReturnType<EngineLab['run']>>;

export class EngineRunner implements EngineLab {
  /** What was used so far, for the record's isolation. */
  readonly used = new Set<string>();

  constructor(private readonly means: EngineMeans) {}

  async run(request: EngineRequest): Promise<Answer> {
    const { choice } = this.means;
    const guest = choice === 'host' ? 'the policy asks for the engine of the host' : await this.guestOrWhy(request);
    if (typeof guest !== 'string') {
      const stdout = await runInGuest(guest, request, await this.means.appliance());
      const why = choice === 'guest' ? 'The policy asks for it.' : 'It is isolated best: in a virtual machine of its own.';
      const how = `the guest's own ${request.description.name}, in the appliance, on the overlay`;
      if (stdout !== null) return this.answer(stdout, { engine: 'guest', how, why, copiedBytes: 0 });
    }
    const whyNotGuest = typeof guest === 'string' ? guest : "the guest's programs could not be run in the appliance";
    if (choice === 'guest') throw untested([whyNotGuest, 'the policy allows no other engine']);
    return this.runOnHost(request, whyNotGuest);
  }

  private async guestOrWhy(request: EngineRequest): Promise<GuestEngine | string> {
    return findGuestEngine(request, this.means.files());
  }

  private async runOnHost(request: EngineRequest, whyNotGuest: string): Promise<Answer> {
    const { sandbox, signal } = this.means;
    const engine = await findHostEngine(request.description, sandbox, signal).catch((error) => {
      if (error instanceof LabError) return error.message;
      throw error;
    });
    if (typeof engine === 'string') throw untested([whyNotGuest, engine]);
    const folder = await this.means.scratchFolder();
    try {
      const { copiedBytes, parts } = await this.copy(request, folder);
      const stdout = await runOnHost(engine, folder, { dataFolder: join(folder, DATA), parts }, request, { sandbox, signal });
      const how = `the host's ${nameOf(engine, request)}, in the sandbox, on a copy of ${copiedBytes} bytes`;
      return this.answer(stdout, { engine: 'host', how, why: `${capital(whyNotGuest)}.`, copiedBytes });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  private async copy(request: EngineRequest, folder: string): Promise<{ copiedBytes: number; parts: Record<string, string> }> {
    const { instance, description, progress } = request;
    const files = this.means.files();
    const plan = await planCopy(files, instance, description.leaveOut, description.parts);
    if (plan.missing.length > 0) throw untested([`what the data directory links to is not in this restore point: ${plan.missing.slice(0, 5).join(', ')}`]);
    await assertRoom(folder, plan.totalBytes, this.means.limitBytes);
    const what = `copying ${instance.location.path} for the host's engine`;
    const onBytes = (doneBytes: number) => progress({ stage: 'recovery', what, doneBytes, totalBytes: plan.totalBytes });
    const copiedBytes = await copyPlanned(files, plan, folder, this.means.signal, onBytes);
    return { copiedBytes, parts: Object.fromEntries(Object.entries(plan.parts).map(([name, path]) => [name, join(folder, path)])) };
  }

  private answer(stdout: string, use: EngineUse): Answer {
    this.used.add(use.how);
    return { stdout, use };
  }
}

function nameOf(engine: HostEngine, { description }: EngineRequest): string {
  return engine.version === '' ? description.name : engine.version;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function untested(reasons: string[]): NotTestedError {
  return new NotTestedError({ code: 'engine.none', message: `Recovery was not tried: ${reasons.join('; ')}.` });
}
