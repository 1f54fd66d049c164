import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applianceEnvironment, probeKvm } from '../../src/labs/acceleration.js';
import { tryAccelerator } from '../../src/labs/kvm-trial.js';
import { trialBootSector } from '../../src/labs/trial-boot-sector.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'sp-kvm-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(() => {
  vi.doUnmock('../../src/labs/trial-boot-sector.js');
  vi.resetModules();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

describe('the trial start', () => {
  it('is a boot sector that runs to its end, and then a kernel, under emulation', async () => {
    expect(trialBootSector()).toHaveLength(512);
    expect(await tryAccelerator('tcg', { sectorMs: 60_000, kernelMs: 240_000 })).toEqual({ works: true, why: expect.stringContaining('booted a kernel') });
  });

  it('fails when the guest code does not run to its end', async () => {
    vi.resetModules();
    const hanging = trialBootSector();
    hanging.write('ebfe', 0, 'hex'); // jmp to itself
    const original = await vi.importActual<object>('../../src/labs/trial-boot-sector.js');
    vi.doMock('../../src/labs/trial-boot-sector.js', () => ({ ...original, trialBootSector: () => hanging }));
    const { tryAccelerator: tryHanging } = await import('../../src/labs/kvm-trial.js');
    expect(await tryHanging('tcg', { sectorMs: 1_000, kernelMs: 1_000 })).toEqual({
      works: false,
      why: expect.stringContaining('did not end within 1 seconds'),
    });
  });
});

describe('probeKvm', () => {
  it('gives an answer with a reason, and keeps it for the next process', async () => {
    const first = await probeKvm({ fresh: true });
    expect(first.why).not.toBe('');
    const file = join(cache, 'snapproof/kvm.json');
    if (!existsSync(file)) return expect(first.why).toMatch(/no \/dev\/kvm|may not use|not installed/);
    const entry = JSON.parse(readFileSync(file, 'utf8'));
    expect(entry).toMatchObject(first);
    writeFileSync(file, JSON.stringify({ ...entry, kvm: !first.kvm, why: 'from the cache' }));
    vi.resetModules();
    const next = await import('../../src/labs/acceleration.js');
    expect(await next.probeKvm()).toEqual({ kvm: !first.kvm, why: 'from the cache' });
    writeFileSync(file, JSON.stringify({ ...entry, kvm: !first.kvm, expiresAt: Date.now() - 1 }));
    vi.resetModules();
    const later = await import('../../src/labs/acceleration.js');
    const anew = await later.probeKvm();
    // A KVM that does not work may abort one time and hang the next: only the answer is the same, not its words.
    expect(anew.kvm).toBe(first.kvm);
    expect(anew.why).not.toBe('from the cache');
  });

  it('decides how the appliance is started', async () => {
    const { kvm } = await probeKvm();
    const environment = await applianceEnvironment();
    expect(environment).toMatchObject({ LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: kvm ? '' : 'force_tcg' });
    expect(existsSync(environment.LIBGUESTFS_CACHEDIR ?? '')).toBe(true);
  });
});
