import type { CheckContext, CheckTarget } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { Sandbox } from '../../../src/labs/lab.js';
import type { ImageLayer } from '../../../src/types.js';
import type { LayerReport, QemuReport, StructureEvidence, StructureOptions } from './evidence.js';

/** qemu-img 7.2 says of all others: "This image format does not support checks". */
const CHECKABLE = new Set(['qcow2', 'vmdk', 'vhdx', 'vdi']);
const MAX_MESSAGES = 20;
const MESSAGE_LENGTH = 300;
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
  const { path, format } = layer;
  if (!CHECKABLE.has(format)) return { path, format, checkable: false, report: null, exitCode: null, messages: [], moreMessages: 0 };
  const args = ['check', '-U', '--output=json', blockNode(layer)];
  const limits = { timeoutMs: TIMEOUT_MS, memoryBytes: context.options.memoryMiB * 2 ** 20 };
  const result = await sandbox.run({ tool: 'qemu-img', args, readable: [path], ...limits }, context.signal);
  if (result.timedOut || /cannot allocate memory|failed to allocate/i.test(result.stderr)) {
    const limit = result.timedOut ? 'did not end in time' : `needs more than ${context.options.memoryMiB} MiB of memory (option memoryMiB)`;
    throw new LabError({ code: 'image.structure.limit', message: `qemu-img check of ${path} ${limit}` });
  }
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '');
  return {
    path,
    format,
    checkable: true,
    report: parseReport(result.stdout),
    exitCode: result.exitCode,
    messages: lines.slice(0, MAX_MESSAGES).map((line) => line.slice(0, MESSAGE_LENGTH)),
    moreMessages: Math.max(0, lines.length - MAX_MESSAGES),
  };
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
