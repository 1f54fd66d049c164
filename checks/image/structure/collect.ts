import type { CheckContext, CheckTarget } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { Sandbox, SandboxResult } from '../../../src/labs/lab.js';
import type { ImageLayer } from '../../../src/types.js';
import type { LayerReport, QemuReport, StructureEvidence, StructureOptions } from './evidence.js';

/** qemu-img 7.2 says of all others: "This image format does not support checks". */
const CHECKABLE = new Set(['qcow2', 'vmdk', 'vhdx', 'vdi']);
const MAX_MESSAGES = 20;
const MESSAGE_LENGTH = 300;
const OUTPUT_BYTES = 32 * 2 ** 20;
/** A cluster used exactly once and counted zero times, as a reference count or as the mark in the entry that uses it. */
const STALE_COUNT = /^ERROR (cluster \d+ refcount=0 reference=1|OFLAG_COPIED .*refcount=0)$/;
const TIMEOUT_MS = 25 * 60_000;

/** One run per layer: a layer is judged by itself, so that a fault names its file. */
export async function collect(target: CheckTarget, context: CheckContext<StructureOptions>): Promise<StructureEvidence> {
  if (target.kind !== 'image') throw new TypeError(`not an image: ${target.id}`);
  const layers: LayerReport[] = [];
  for (const [index, layer] of target.image.layers.entries()) {
    context.progress({ stage: 'image', what: `structure of ${layer.path}`, doneBytes: index, totalBytes: target.image.layers.length });
    layers.push(await checkLayer(layer, context.labs.sandbox, context));
  }
  return { layers };
}

async function checkLayer(layer: ImageLayer, sandbox: Sandbox, context: CheckContext<StructureOptions>): Promise<LayerReport> {
  const { path, format, details } = layer;
  const notChecked = whyNot(layer);
  const dirty = details.dirty === true;
  const empty = { path, format, notChecked, dirty, report: null, staleCounts: 0, exitCode: null, messages: [], moreMessages: 0 };
  if (notChecked) return empty;
  const args = ['check', '-U', '--output=json', blockNode(layer)];
  const visible = details.device === true ? { devices: [path] } : { readable: [path] };
  const limits = { timeoutMs: TIMEOUT_MS, memoryBytes: context.options.memoryMiB * 2 ** 20, outputBytes: OUTPUT_BYTES };
  const result = await sandbox.run({ tool: 'qemu-img', args, ...visible, ...limits }, context.signal);
  assertWithinLimits(result, path, context.options.memoryMiB);
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
  if (dirty && result.truncated) throw limit(path, 'says more than is kept');
  return {
    ...empty,
    report: parseReport(result.stdout),
    staleCounts: lines.filter((line) => STALE_COUNT.test(line)).length,
    exitCode: result.exitCode,
    messages: lines.slice(0, MAX_MESSAGES).map((line) => line.slice(0, MESSAGE_LENGTH)),
    moreMessages: Math.max(0, lines.length - MAX_MESSAGES),
  };
}

/** qemu opens a VHDX with a log in use only for writing, to replay it. */
function whyNot(layer: ImageLayer): LayerReport['notChecked'] {
  if (layer.format === 'raw') return 'no tables';
  if (!CHECKABLE.has(layer.format)) return 'no check in qemu';
  return layer.details.logInUse === true ? 'log not replayed' : null;
}

function assertWithinLimits(result: SandboxResult, path: string, memoryMiB: number): void {
  if (result.timedOut) throw limit(path, 'did not end in time');
  if (/cannot allocate memory|failed to allocate/i.test(result.stderr)) throw limit(path, `needs more than ${memoryMiB} MiB of memory (option memoryMiB)`);
}

function limit(path: string, what: string): LabError {
  return new LabError({ code: 'image.structure.limit', message: `qemu-img check of ${path} ${what}` });
}

/** `backing: null` keeps qemu from opening the next layer; the driver is stated, never probed. JSON takes any file name. */
function blockNode(layer: ImageLayer): string {
  const file = { driver: layer.details.device === true ? 'host_device' : 'file', filename: layer.path };
  return `json:${JSON.stringify({ driver: layer.format, ...(layer.format === 'qcow2' ? { backing: null } : {}), file })}`;
}

/** qemu leaves out numbers that are zero. */
export function parseReport(text: string): QemuReport | null {
  try {
    const report = JSON.parse(text) as Record<string, unknown>;
    const count = (key: string) => (typeof report[key] === 'number' ? (report[key] as number) : 0);
    if (typeof report['check-errors'] !== 'number') return null;
    return { corruptions: count('corruptions'), leaks: count('leaks'), checkErrors: count('check-errors') };
  } catch {
    return null;
  }
}
