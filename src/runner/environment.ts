/** Where and with what a verification was done: versions, the host, and what kept the guest apart from it. */
import { arch, cpus, release, totalmem } from 'node:os';
import { probeKvm } from '../labs/acceleration.js';
import { runTool } from '../process/run-tool.js';
import type { VerificationRecord } from '../types.js';
import { VERSION } from '../version.js';
import type { RunLabs } from './run-labs.js';

type Described = VerificationRecord['environment'];

let environment: Promise<Described> | null = null;

/** Asked once per process: versions do not change under a run. */
export function describeEnvironment(): Promise<Described> {
  environment ??= readEnvironment();
  return environment;
}

async function readEnvironment(): Promise<Described> {
  const [qemu, libguestfs, kvm] = await Promise.all([version('qemu-img', ['--version']), version('guestfish', ['--version']), probeKvm()]);
  return {
    snapproof: VERSION,
    node: process.version,
    host: `Linux ${release()} ${arch()}`,
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    qemu,
    libguestfs,
    acceleration: kvm.kvm ? 'kvm' : 'software emulation',
    accelerationWhy: kvm.why,
  };
}

async function version(tool: string, args: string[]): Promise<string | null> {
  const result = await runTool({ tool, args, timeoutMs: 20_000 }).catch(() => null);
  return result?.stdout.split('\n')[0]?.trim() ?? null;
}

export async function describeIsolation(labs: RunLabs): Promise<Described> {
  return {
    originals: 'opened read-only; everything written went to throw-away overlays',
    hostMounts: 'none: no file system of the guest was mounted by the host',
    network: 'none in the sandbox, none in the appliance',
    machine: describeMachines(labs.machines.started),
    sandbox: await labs.confinement(),
    databaseEngines: labs.engine.used.size > 0 ? [...labs.engine.used].join('; ') : 'none ran',
  };
}

/** Where guests ran, and what they could reach. */
export function describeMachines(started: RunLabs['machines']['started']): string {
  if (started.length === 0) return 'none was started';
  const connected = started.filter(({ network }) => network).length;
  const network = connected > 0 ? `a closed network whose only other party was snapproof (${connected} of ${started.length})` : 'no network';
  const how = [...new Set(started.map(({ accelerator }) => (accelerator === 'kvm' ? 'KVM' : 'software emulation')))].join(' and ');
  return `${started.length} started with ${how}, in the sandbox, on throw-away overlays, with ${network}`;
}
