/** Replays a file system's log on the overlay, then lets its checker look at the result, and judges what it prints. */
import { randomBytes } from 'node:crypto';
import { defineCheck } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { FileSystemType, Volume } from '../../../src/types.js';
import { type ConsistencyEvidence, judgeConsistency } from './judge.js';
import { whyNotRun } from './judges/judgement.js';
import { consistencyScript, hasChecker, parseScriptOutput, replaysLog, type ScriptOutput } from './script.js';

const TIMEOUT_MS = 30 * 60_000;
/** A raw file of odd length is a device of whole sectors, its end read as zeroes. */
const SECTOR_BYTES = 512;
/** Checkers of larger file systems may need the appliance's memory for themselves. */
const SIDE_BY_SIDE_BYTES = 64 * 1024 ** 3;
/** Kept of every text in the evidence: its beginning and its end. */
const KEPT_HEAD = 8_000;
const KEPT_TAIL = 2_000;

export default defineCheck<ConsistencyEvidence, Record<string, never>>({
  id: 'filesystem/consistency',
  title: 'Every file system can be mounted, and its checker finds no damage',
  failureTitle: 'A file system cannot be mounted, or its structure is damaged',
  description: 'On the throw-away overlay: mounts the file system, which replays its log, unmounts it, and judges the text of its own checker.',
  stage: 'volume',
  depth: 'static',
  targetKind: 'volume',
  lab: 'appliance',
  timeoutMs: TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},

  skipReason(target) {
    if (target.kind !== 'volume' || target.volume.content.kind !== 'filesystem') return 'the volume holds no file system';
    return hasChecker(target.volume.content.type) ? null : `there is no checker for ${target.volume.content.type} here`;
  },

  async collect(target, context) {
    const volume = target.kind === 'volume' ? target.volume : null;
    if (volume?.content.kind !== 'filesystem') throw new LabError({ code: 'filesystem.none', message: `${target.id} holds no file system` });
    const { type, uuid } = volume.content;
    const appliance = await context.labs.appliance();
    await appliance.unmountAll('kept');
    const marker = `snapproof-${randomBytes(12).toString('hex')}`;
    const sizeBytes = Math.ceil(volume.sizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
    const script = consistencyScript(type, volume.device, marker, { sizeBytes, uuid });
    const sideBySide = type !== 'btrfs' && sizeBytes <= SIDE_BY_SIDE_BYTES; // parts and copies of one btrfs are one to the kernel
    const result = await appliance.script(script, { timeoutMs: TIMEOUT_MS, sideBySide, keeps: true });
    const output = parseScriptOutput(result.stdout, marker);
    assertRan(volume, type, output, result.timedOut ? 'it took too long' : result.stderr);
    return evidenceOf(volume, type, output);
  },

  evaluate: judgeConsistency,
});

/** Mount texts that say something about the appliance, nothing about the file system. */
const NOT_MOUNTABLE_HERE = [
  /unknown filesystem type/,
  /No such device/,
  /special device .* does not exist/,
  /already mounted/,
  /: not found$/m,
  /unsupported (optional|incompatible|ro compat) features/,
  /unknown (incompatible|read-only compatible) features/,
];

function assertRan(volume: Volume, type: FileSystemType, output: ScriptOutput, why: string): void {
  const fail = (text: string) => {
    throw new LabError({
      code: 'filesystem.checker.not-run',
      message: `the ${type} on ${volume.id} could not be checked in the appliance: ${text.trim().slice(0, 500)}`,
    });
  };
  if (output.other) fail(`it is not the volume that was inspected: ${output.other}, expected ${volume.sizeBytes} bytes`);
  if (!output.whole || (replaysLog(type) && !output.mount)) fail(why || 'its script was cut off');
  if (output.mount?.busy) fail('it could not be unmounted again');
  const mountText = `${output.mount?.text ?? ''}\n${output.kernel}`;
  if (output.mount && !output.mount.mounted && NOT_MOUNTABLE_HERE.some((pattern) => pattern.test(mountText))) fail(output.mount.text || output.kernel);
  for (const [name, text] of Object.entries(output.tools)) {
    const reason = name === 'walk' ? null : whyNotRun(text);
    if (reason) fail(`${name} said "${reason}"`);
  }
}

function evidenceOf(volume: Volume, type: FileSystemType, output: ScriptOutput): ConsistencyEvidence {
  return {
    volume: volume.id,
    type,
    captured: volume.captureState,
    replay: output.mount && { mounted: output.mount.mounted, seconds: output.mount.seconds, text: shorten(output.mount.text) },
    kernel: shorten(linesAbout(output.kernel, output.kernelName)),
    tools: Object.fromEntries(Object.entries(output.tools).map(([name, text]) => [name, shorten(text)])),
  };
}

/** The kernel's lines without those that name another device: a damaged neighbour may still be heard. */
function linesAbout(kernel: string, device: string): string {
  const names = /(?:\((?:device )?|error, dev )([a-z][\w-]*)[),]/;
  return kernel
    .split('\n')
    .filter((line) => device === '' || (names.exec(line)?.[1] ?? device) === device)
    .join('\n');
}

function shorten(text: string): string {
  if (text.length <= KEPT_HEAD + KEPT_TAIL) return text;
  const left = text.length - KEPT_HEAD - KEPT_TAIL;
  return `${text.slice(0, KEPT_HEAD)}\n[${left} characters left out]\n${text.slice(-KEPT_TAIL)}`;
}
