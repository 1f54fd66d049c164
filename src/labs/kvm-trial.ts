/** Starts real machines for a moment, to learn whether an accelerator works: our boot sector, then a kernel of the host. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isReadable } from '../process/readable.js';
import { runTool, type ToolResult } from '../process/run-tool.js';
import { openWorkFolder, type WorkFolder } from '../process/work-folder.js';
import { matchingFiles } from '../setup/debian.mjs';
import { TRIAL_EXIT_CODE, TRIAL_EXIT_DEVICE, trialBootSector } from './trial-boot-sector.js';

export interface Trial {
  works: boolean;
  why: string;
}

/** A working accelerator needs a fraction of a second; one that needs longer is slower than software emulation. */
const LIMITS = { sectorMs: 5_000, kernelMs: 10_000 };
const QEMU = 'qemu-system-x86_64';
/** What the appliance uses as well: every feature the accelerator offers. */
const MACHINE = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-cpu', 'max'];

/** Runs both trials with an accelerator of QEMU (`kvm`, `tcg`). */
export async function tryAccelerator(accelerator: 'kvm' | 'tcg', limits = LIMITS): Promise<Trial> {
  const folder = await openWorkFolder();
  try {
    const sector = await tryBootSector(accelerator, limits.sectorMs, folder);
    const kernel = matchingFiles('/boot/vmlinuz-*').filter(isReadable).at(-1);
    return sector.works && kernel ? await tryKernel(accelerator, kernel, limits.kernelMs, folder) : sector;
  } finally {
    await folder.close();
  }
}

async function tryBootSector(accelerator: string, limitMs: number, folder: WorkFolder): Promise<Trial> {
  const image = join(folder.path, 'sector');
  await writeFile(image, trialBootSector());
  const drive = ['-drive', `file=${image},format=raw,if=floppy,readonly=on`];
  const result = await startQemu(accelerator, ['-m', '64', '-device', TRIAL_EXIT_DEVICE, ...drive], limitMs, folder);
  if (result.exitCode === TRIAL_EXIT_CODE) return { works: true, why: 'a trial start ran guest code to its end' };
  return { works: false, why: `a trial start failed: ${whatHappened(result, limitMs)}` };
}

/** An ordinary kernel without a root: where machines work, it starts, finds no root and says so. */
async function tryKernel(accelerator: string, kernel: string, limitMs: number, folder: WorkFolder): Promise<Trial> {
  const machine = ['-m', '256', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 quiet panic=-1'];
  const result = await startQemu(accelerator, machine, limitMs, folder);
  if (result.stdout.includes('VFS: Unable to mount root fs')) return { works: true, why: 'a trial start booted a kernel' };
  return { works: false, why: `a boot sector runs, but a kernel does not: ${whatHappened(result, limitMs)}` };
}

function startQemu(accelerator: string, args: string[], timeoutMs: number, workFolder: WorkFolder): Promise<ToolResult> {
  return runTool({ workFolder, tool: QEMU, args: ['-machine', `pc,accel=${accelerator}`, ...MACHINE, ...args], timeoutMs });
}

function whatHappened(result: ToolResult, limitMs: number): string {
  if (result.timedOut) return `it did not end within ${limitMs / 1000} seconds`;
  const message = result.stderr.trim().split('\n')[0];
  return message || `QEMU ended with exit code ${result.exitCode ?? 'none'}`;
}
