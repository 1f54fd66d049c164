/** All that is known of the hardware of a restore point, brought together; and what this host can give. */
import { readFile, stat } from 'node:fs/promises';
import { cpus, freemem } from 'node:os';
import { MappedSource } from '../bytes/source.js';
import { SnapproofError } from '../errors.js';
import { continuationObstacle, describeMachine, machineTypesOf } from '../hardware/index.js';
import { probeKvm } from '../labs/acceleration.js';
import type { Exposure, Sandbox } from '../labs/lab.js';
import type { Inspection, RestorePoint } from '../types.js';
import type { DescribedMachine, MemoryFacts, SavedMemory, Way } from '../ways.js';

export interface HardwareContext {
  restorePoint: RestorePoint;
  exposure: Exposure;
  sandbox: Sandbox;
  inspection: Inspection | null;
  signal: AbortSignal;
  memory(): Promise<SavedMemory | null>;
}

const MAX_XML_BYTES = 4 * 2 ** 20;
const BOOT_CODE_BYTES = 440;
/** Left to the host and to snapproof itself. */
const SPARE_MIB = 1024;
const LEAST_MIB = 256;
const HELP_TIMEOUT_MS = 20_000;

export async function describeHardware(way: Way, context: HardwareContext): Promise<DescribedMachine> {
  const { restorePoint, exposure, inspection } = context;
  const { images } = exposure;
  const memory = await context.memory().catch(untested);
  return describeMachine({
    ...{ way, images, inspection, network: true },
    facts: memory?.facts ?? null,
    manifest: restorePoint.hardware,
    domainXml: await readDomains(restorePoint.configs),
    buses: images.map(({ name }) => restorePoint.disks[Number(name.replace('disk', ''))]?.bus ?? null),
    bootCode: await hasBootCode(exposure),
    host: { cpus: cpus().length, memoryMiB: memoryForMachines(), machineTypes: await machineTypes(context.sandbox, context.signal) },
  });
}

/** Whether this host can continue a machine that was saved so: null, or why not. */
export async function continuationHere(memory: MemoryFacts, sandbox: Sandbox, signal: AbortSignal): Promise<string | null> {
  const { kvm } = await probeKvm();
  return continuationObstacle(memory, { accelerator: kvm ? 'kvm' : 'tcg', machineTypes: await machineTypes(sandbox, signal) });
}

/** Memory that could not be opened is told by its own check; the machine is described without it. */
function untested(error: unknown): null {
  if (error instanceof SnapproofError) return null;
  throw error;
}

async function readDomains(configs: string[]): Promise<string[]> {
  const texts = configs
    .filter((path) => path.toLowerCase().endsWith('.xml'))
    .map(async (path) => ((await stat(path)).size <= MAX_XML_BYTES ? readFile(path, 'utf8') : ''));
  return (await Promise.all(texts)).filter((text) => text !== '');
}

/** Null when there is no disk to look at. */
async function hasBootCode(exposure: Exposure): Promise<boolean | null> {
  const [first] = exposure.images;
  if (!first) return null;
  const disk = new MappedSource(await exposure.captured(first.name));
  try {
    const sector = await disk.read(0, Math.min(BOOT_CODE_BYTES, disk.sizeBytes));
    return sector.some((byte) => byte !== 0);
  } finally {
    await disk.close();
  }
}

function memoryForMachines(): number {
  const freeBytes = process.availableMemory?.() ?? freemem();
  return Math.max(LEAST_MIB, Math.floor(freeBytes / 2 ** 20) - SPARE_MIB);
}

/** Empty when this host's QEMU cannot be asked: starting it will say why. */
async function machineTypes(sandbox: Sandbox, signal: AbortSignal): Promise<string[]> {
  const help = await sandbox.run({ tool: 'qemu-system-x86_64', args: ['-machine', 'help'], timeoutMs: HELP_TIMEOUT_MS }, signal).catch(untested);
  return help?.exitCode === 0 ? machineTypesOf(help.stdout) : [];
}
