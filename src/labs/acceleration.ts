/** Whether machines run on the processor itself (KVM) or must be emulated, and what the appliance is told about it. */

import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { bootId } from '../process/proc.js';
import { isWritable } from '../process/readable.js';
import { runTool } from '../process/run-tool.js';
import { cacheFolder } from '../process/user-folders.js';
import { findTool } from '../setup/debian.mjs';
import { applianceImage } from './appliance/image.js';
import { tryAccelerator } from './kvm-trial.js';

export interface KvmAnswer {
  kvm: boolean;
  why: string;
}

const DEVICE = '/dev/kvm';
const CACHE_FILE = 'kvm.json';
const CACHE_LIFE_MS = 24 * 60 * 60 * 1000;

let answer: Promise<KvmAnswer> | undefined;

/**
 * Whether KVM is usable here, by a real trial start: the device may be there and fail (nested virtualisation).
 * Asked once per process; the answer is kept for a day in the cache folder, until the next boot or another kernel or QEMU.
 */
export function probeKvm(options: { fresh?: boolean } = {}): Promise<KvmAnswer> {
  if (options.fresh) answer = undefined;
  answer ??= probe(options.fresh ?? false);
  return answer;
}

/**
 * The environment for libguestfs: QEMU started directly, emulation where KVM does not work, and one appliance per user, built once.
 * A run adds its own TMPDIR (see `WorkFolder.environment`).
 * @throws LabError when the appliance cannot be built
 */
export async function applianceEnvironment(): Promise<Record<string, string>> {
  const { kvm } = await probeKvm();
  const cache = await cacheFolder('appliance');
  return {
    LIBGUESTFS_BACKEND: 'direct',
    LIBGUESTFS_BACKEND_SETTINGS: kvm ? '' : 'force_tcg',
    LIBGUESTFS_CACHEDIR: cache,
    LIBGUESTFS_PATH: await applianceImage(cache),
    // Debug output set by the user would mix into what is parsed.
    LIBGUESTFS_DEBUG: '0',
    LIBGUESTFS_TRACE: '0',
  };
}

async function probe(fresh: boolean): Promise<KvmAnswer> {
  if (!existsSync(DEVICE)) return { kvm: false, why: 'this host has no /dev/kvm' };
  if (!isWritable(DEVICE)) return { kvm: false, why: `this user may not use ${DEVICE}: add it to the group kvm (sudo adduser USER kvm) and log in again` };
  if (!findTool('qemu-system-x86_64')) return { kvm: false, why: 'qemu-system-x86_64 is not installed' };
  const key = await cacheKey();
  const known = fresh ? null : await readCache(key);
  if (known) return known;
  const trial = await tryAccelerator('kvm');
  const found = { kvm: trial.works, why: trial.why };
  await writeCache(key, found);
  return found;
}

async function cacheKey(): Promise<string> {
  const { stdout } = await runTool({ tool: 'qemu-system-x86_64', args: ['--version'], timeoutMs: 10_000 });
  return [bootId(), release(), stdout.split('\n')[0]].join(' ');
}

async function readCache(key: string): Promise<KvmAnswer | null> {
  try {
    const entry = JSON.parse(await readFile(join(await cacheFolder(), CACHE_FILE), 'utf8'));
    const fits = entry.key === key && Date.now() < entry.expiresAt && typeof entry.kvm === 'boolean';
    return fits ? { kvm: entry.kvm, why: String(entry.why) } : null;
  } catch {
    return null;
  }
}

/** Without a cache every run tries anew: slower, not wrong. */
async function writeCache(key: string, found: KvmAnswer): Promise<void> {
  try {
    const path = join(await cacheFolder(), CACHE_FILE);
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, JSON.stringify({ key, expiresAt: Date.now() + CACHE_LIFE_MS, ...found }), { mode: 0o600 });
    await rename(draft, path);
  } catch {
    return;
  }
}
