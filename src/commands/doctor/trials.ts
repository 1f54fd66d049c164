/** What is really tried: programs are started, because being installed proves little. */

import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { applianceEnvironment, probeKvm } from '../../labs/acceleration.js';
import { MachineLab } from '../../labs/machine/index.js';
import { isReadable } from '../../process/readable.js';
import { runTool, type ToolResult } from '../../process/run-tool.js';
import type { WorkFolder } from '../../process/work-folder.js';
import { findTool, matchingFiles } from '../../setup/debian.mjs';
import { type Component, component } from './component.js';

const SCRATCH_BYTES = 16 * 1024 * 1024;
const LAUNCH_LIMIT_MS = 300_000;
const LEAST_NODE = 20;

export function tryNode(): Component {
  const usable = Number(process.versions.node.split('.')[0]) >= LEAST_NODE;
  return component('Node', 'everything', { version: process.versions.node, usable, why: usable ? '' : `Node ${LEAST_NODE} or newer is needed` });
}

export function trySqliteBinding(): Component {
  const neededFor = 'the ledger';
  try {
    const require = createRequire(import.meta.url);
    const Database = require('better-sqlite3');
    const database = new Database(':memory:');
    const { version } = database.prepare('SELECT sqlite_version() AS version').get();
    database.close();
    return component('better-sqlite3', neededFor, { version: `SQLite ${version}`, why: 'opened a database' });
  } catch (error) {
    const why = `does not load: ${firstLine(String(error))}. Run: npm rebuild better-sqlite3`;
    return component('better-sqlite3', neededFor, { present: false, usable: false, why });
  }
}

export async function trySandbox(folder: WorkFolder): Promise<Component> {
  const args = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', 'true'];
  const advice = 'In a container, allow user namespaces; on a host, look at sysctl kernel.unprivileged_userns_clone.';
  return tryProgram({ name: 'sandbox', tool: 'bwrap', args, neededFor: 'running host tools in isolation', done: 'started a confined program', advice }, folder);
}

export async function tryStorageDaemon(folder: WorkFolder): Promise<Component> {
  const request = {
    name: 'overlay',
    tool: 'qemu-storage-daemon',
    args: ['--version'],
    neededFor: 'throw-away overlays over images',
    done: 'started',
    advice: '',
  };
  return tryProgram(request, folder);
}

interface ProgramTrial {
  name: string;
  tool: string;
  args: string[];
  neededFor: string;
  done: string;
  advice: string;
}

async function tryProgram(trial: ProgramTrial, folder: WorkFolder): Promise<Component> {
  if (!findTool(trial.tool)) return component(trial.name, trial.neededFor, { present: false, usable: false, why: `${trial.tool} is not installed` });
  const result = await runTool({ tool: trial.tool, args: trial.args, timeoutMs: 20_000, workFolder: folder });
  const usable = result.exitCode === 0;
  return component(trial.name, trial.neededFor, { usable, why: usable ? trial.done : `${trial.tool}: ${failureOf(result)}. ${trial.advice}`.trim() });
}

/** KVM is never needed: without it machines are emulated, slower. */
export async function tryKvm(): Promise<Component> {
  const { kvm, why } = await probeKvm({ fresh: true });
  return component('KVM', 'speed: machines on the processor itself', { required: false, present: matchingFiles('/dev/kvm').length > 0, usable: kvm, why });
}

/** Starts a machine without disks, as the machine lab does. Without it guests are neither booted nor resumed; all else works. */
export async function tryMachine(): Promise<Component> {
  const [neededFor, required] = ['booting and resuming guests', false];
  if (!findTool('qemu-system-x86_64')) {
    return component('machine', neededFor, { required, present: false, usable: false, why: 'qemu-system-x86_64 is not installed' });
  }
  return component('machine', neededFor, { required, ...(await new MachineLab().probe()) });
}

/** Starts the appliance on an empty scratch disk and asks it which file systems it can handle. */
export async function tryAppliance(folder: WorkFolder): Promise<Component[]> {
  const neededFor = 'opening guests';
  if (!findTool('guestfish')) return [component('appliance', neededFor, { present: false, usable: false, why: 'guestfish is not installed' })];
  const kernels = matchingFiles('/boot/vmlinuz-*');
  if (kernels.length > 0 && !kernels.some(isReadable)) {
    return [component('appliance', neededFor, { usable: false, why: `this user may not read a kernel. Run: sudo chmod a+r ${kernels.join(' ')}` })];
  }
  const image = join(folder.path, 'scratch.img');
  const scratch = await open(image, 'w');
  await scratch.truncate(SCRATCH_BYTES);
  await scratch.close();
  const args = ['--format=raw', '-a', image, 'run', ':', 'version', ':', 'feature-available', 'xfs', ':', 'feature-available', 'btrfs lvm2 ntfs3g'];
  try {
    const result = await runTool({ tool: 'guestfish', args, env: await applianceEnvironment(), timeoutMs: LAUNCH_LIMIT_MS, workFolder: folder });
    return describeAppliance(result, neededFor);
  } catch (error) {
    return [component('appliance', neededFor, { usable: false, why: error instanceof Error ? error.message : String(error) })];
  }
}

function describeAppliance(result: ToolResult, neededFor: string): Component[] {
  const answers = result.stdout.match(/^(true|false)$/gm) ?? [];
  const launched = result.exitCode === 0 && answers.length === 2;
  const version = ['major', 'minor', 'release'].map((part) => new RegExp(`^${part}: (\\d+)$`, 'm').exec(result.stdout)?.[1] ?? '').join('.');
  const seconds = (result.durationMs / 1000).toFixed(1);
  const appliance = launched
    ? component('appliance', neededFor, {
        version,
        usable: answers[1] === 'true',
        why: answers[1] === 'true' ? `started in ${seconds} s` : 'started, but lacks btrfs, LVM or NTFS: install libguestfs-tools with its dependencies',
      })
    : component('appliance', neededFor, { usable: false, why: `does not start: ${failureOf(result)}. For more: libguestfs-test-tool` });
  const hasXfs = launched && answers[0] === 'true';
  const why = !launched ? 'not tried: the appliance does not start' : hasXfs ? 'the appliance has it' : 'the appliance lacks it: install libguestfs-xfs';
  return [appliance, component('XFS in the appliance', 'opening XFS', { present: hasXfs, usable: hasXfs, why })];
}

function failureOf(result: ToolResult): string {
  if (result.timedOut) return `no answer within ${Math.round(result.durationMs / 1000)} s`;
  return firstLine(result.stderr) || `exit code ${result.exitCode ?? 'none'}`;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
