import { readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { workFolderBase } from '../../src/process/run-folder.js';

afterEach(() => {
  vi.doUnmock('../../src/setup/debian.mjs');
  vi.resetModules();
});

/** Runs the doctor with some programs hidden. */
async function consult(args: { json?: boolean }, hidden: string[] = []): Promise<{ exitCode: number; stdout: string }> {
  vi.resetModules();
  const original = await vi.importActual<typeof import('../../src/setup/debian.mjs')>('../../src/setup/debian.mjs');
  const missing = original.packages.filter((item) => item.tools.some((tool) => hidden.includes(tool)));
  vi.doMock('../../src/setup/debian.mjs', () => ({
    ...original,
    findTool: (tool: string) => (hidden.includes(tool) ? null : original.findTool(tool)),
    missingParts: (item: (typeof missing)[number]) => item.tools.filter((tool) => hidden.includes(tool)),
    missingPackages: () => missing,
  }));
  const { doctor } = await import('../../src/commands/doctor.js');
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stderr.resume();
  const exitCode = await doctor(args, { stdout, stderr });
  stdout.end();
  return { exitCode, stdout: await text(stdout) };
}

describe('doctor', () => {
  it('tries every component and leaves nothing behind', async () => {
    const { exitCode, stdout } = await consult({ json: true });
    const document = JSON.parse(stdout);
    const unusable = document.components.filter((item: { required: boolean; usable: boolean }) => item.required && !item.usable);
    expect(unusable).toEqual([]);
    expect(exitCode).toBe(0);
    expect(document).toMatchObject({ schema: 'snapproof.doctor/v1', usable: true, installCommand: null });
    const names = document.components.map((item: { name: string }) => item.name);
    expect(names).toEqual(
      expect.arrayContaining(['Node', 'better-sqlite3', 'sandbox', 'overlay', 'KVM', 'machine', 'appliance', 'XFS in the appliance', 'disk: temporary']),
    );
    expect(document.components.find((item: { name: string }) => item.name === 'machine').why).toMatch(/^a machine started in [\d.]+ s$/);
    expect(document.components.find((item: { name: string }) => item.name === 'appliance').why).toMatch(/^started in [\d.]+ s$/);
    expect(readdirSync(workFolderBase()).filter((name) => name.startsWith(`run-${process.pid}-`))).toEqual([]);
  });

  it('names what is missing, gives one command, and exits with 4', async () => {
    const { exitCode, stdout } = await consult({}, ['bwrap', 'guestfish']);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^sandbox .*missing.*bwrap is not installed$/m);
    expect(stdout).toMatch(/^appliance .*missing.*guestfish is not installed$/m);
    expect(stdout).toContain('sudo apt-get update && sudo apt-get install --no-install-recommends bubblewrap libguestfs-tools\n');
  });
});
