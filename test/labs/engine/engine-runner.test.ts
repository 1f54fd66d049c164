/** Which engine is taken and why, over folders of the host; the sandbox and the appliance answer what the test says. */
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { NotTestedError } from '../../../src/errors.js';
import { EngineRunner } from '../../../src/labs/engine/index.js';
import { planCopy } from '../../../src/labs/engine/plan-copy.js';
import type { EngineDescription, EngineScene, SandboxRequest } from '../../../src/labs/lab.js';
import type { DatabaseInstance, OperatingSystem, Policy } from '../../../src/types.js';
import { memoryLabs } from '../memory.js';

const root = mkdtempSync(join(tmpdir(), 'snapproof-engines-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let volumes: Record<string, string>;
let bin: string;
let requests: SandboxRequest[];
/** What the engine saw of the copy while it ran. */
let seen: string[];
const ran: EngineScene[] = [];

beforeEach(() => {
  const place = mkdtempSync(join(root, 'case-'));
  const folder = (...names: string[]) => {
    const path = join(place, ...names);
    mkdirSync(path, { recursive: true });
    return path;
  };
  volumes = { disk0: folder('disk0'), disk1: folder('disk1') };
  bin = folder('bin');
  writeFileSync(join(bin, 'served'), '', { mode: 0o755 });
  mkdirSync(join(place, 'disk0/odd/data/sub'), { recursive: true });
  writeFileSync(join(place, 'disk0/odd/data/sub/file'), 'hello');
  writeFileSync(join(place, 'disk0/odd/data/server.log'), 'x'.repeat(100));
  mkdirSync(join(place, 'disk1/fast'));
  writeFileSync(join(place, 'disk1/fast/table'), 'rows');
  symlinkSync('/mnt/fast', join(place, 'disk0/odd/data/space'));
  requests = [];
  seen = [];
  ran.length = 0;
});

const description: EngineDescription = {
  ...{ name: 'Served 3', program: 'served', guestFolders: ['/usr/bin'], mark: '@@', install: 'install it' },
  get hostFolders() {
    return [bin];
  },
  fits: (text) => text.includes('3.'),
  leaveOut: (path) => path.endsWith('.log'),
  script: (scene) => `run ${ran.push(scene)}`,
};
const instance = (linked = true): DatabaseInstance => ({
  ...{ id: 'served disk0:/odd/data', engine: 'served', version: '3', location: { volume: 'disk0', path: '/odd/data' }, facts: {} },
  links: [{ what: 'space', target: '/mnt/fast', location: linked ? { volume: 'disk1', path: '/fast' } : null }],
});
const linux = {
  ...{ root: { volume: 'disk0', path: '/' }, type: 'linux', arch: 'x86_64' },
  mounts: [{ mountPoint: '/', spec: 'x', type: 'ext4', device: '/dev/sda', subvolume: null, location: { volume: 'disk0', path: '/' } }],
} as unknown as OperatingSystem;

interface Case {
  choice?: Policy['engine'];
  systems?: OperatingSystem[];
  version?: string;
  said?: string;
  guestSaid?: string;
  limitBytes?: number;
  linked?: boolean;
}

async function run(options: Case) {
  const { choice = 'auto', systems = [], version = 'served 3.1', said = '@@ up', guestSaid = '@@ up', limitBytes = 2 ** 30, linked = true } = options;
  const labs = memoryLabs({
    volumes,
    scratch: async () => mkdtempSync(join(root, 'scratch-')),
    appliance: () => guestSaid,
    tool: (request) => {
      requests.push(request);
      if (request.args[0] === '--version') return { stdout: `${version}\n` };
      const copy = request.writable?.[0] ?? '';
      seen = [readFileSync(join(copy, 'data/sub/file'), 'utf8'), readFileSync(join(copy, 'data/space/table'), 'utf8'), readlinkSync(join(copy, 'data/space'))];
      expect(() => statSync(join(copy, 'data/server.log'))).toThrow(/ENOENT/);
      return { stdout: said };
    },
  });
  const { sandbox, files, appliance, scratchFolder } = labs;
  const runner = new EngineRunner({ choice, limitBytes, files: () => files, appliance, sandbox, scratchFolder, signal: new AbortController().signal });
  return runner.run({ description, instance: instance(linked), systems, timeoutMs: 1000, progress: () => undefined });
}

describe('the engine of a database', () => {
  const guestProgram = () => {
    mkdirSync(join(volumes.disk0 as string, 'usr/bin'), { recursive: true });
    writeFileSync(join(volumes.disk0 as string, 'usr/bin/served'), '');
  };

  it("is the guest's own where it has one, because that is isolated best", async () => {
    guestProgram();
    const { use } = await run({ systems: [linux] });
    expect(use).toMatchObject({ engine: 'guest', why: expect.stringContaining('isolated best'), copiedBytes: 0 });
    expect(ran).toMatchObject([{ binaries: '/usr/bin', dataFolder: '/odd/data', identity: 'root' }]);
    expect(requests).toEqual([]);
  });

  it("is the host's on a copy, with what the links lead to, where no system mounts it", async () => {
    const { use, stdout } = await run({});
    expect(stdout).toBe('@@ up');
    expect(use).toMatchObject({ engine: 'host', copiedBytes: 9, why: expect.stringContaining('No operating system') });
    expect(use.how).toBe("the host's served 3.1, in the sandbox, on a copy of 9 bytes");
    expect(seen.slice(0, 2)).toEqual(['hello', 'rows']);
    expect(seen[2]).toMatch(/scratch-.*\/linked\//);
    const [, start] = requests;
    expect(start).toMatchObject({ tool: 'sh', uid: 1000 });
    expect(start?.uid).not.toBe(0);
    expect(start?.writable?.every((path) => path.startsWith(root))).toBe(true);
    expect(() => statSync(start?.writable?.[0] ?? '')).toThrow(/ENOENT/);
  });

  it("is the host's when the policy says so, or when the guest's programs do not run at all", async () => {
    guestProgram();
    expect((await run({ choice: 'host', systems: [linux] })).use).toMatchObject({ engine: 'host', why: expect.stringContaining('policy') });
    expect((await run({ systems: [linux], guestSaid: 'not found' })).use).toMatchObject({ engine: 'host', why: expect.stringContaining('could not be run') });
  });

  it.each([
    ['the policy allows only the guest and there is none', { choice: 'guest' }, /no operating system.*allows no other engine/],
    ['the host has another version', { version: 'served 2.9' }, /no operating system.*this host has no Served 3 \(it has served 2.9\); install it/],
    ['a link leads out of the restore point', { linked: false }, /not in this restore point: space -> \/mnt\/fast/],
    ['the copy is larger than the policy allows', { limitBytes: 8 }, /needs 9 bytes; the policy allows 8 bytes/],
  ] as [string, Case, RegExp][])('is none, and untested, when %s', async (_name, options, why) => {
    const error = await run(options).catch((caught) => caught);
    expect(error).toBeInstanceOf(NotTestedError);
    expect(error.message).toMatch(why);
  });

  it('that says nothing is an error of the lab', async () => {
    await expect(run({ said: '' })).rejects.toThrow(/could not be run in the sandbox/);
  });
});

describe('the plan of a copy', () => {
  it('ends on links that loop', async () => {
    const data = join(volumes.disk0 as string, 'odd/data');
    symlinkSync('.', join(data, 'self'));
    symlinkSync('../..', join(data, 'up'));
    const { files } = memoryLabs({ volumes });
    const plan = await planCopy(files, instance(), () => false);
    expect(plan.folders.length).toBeLessThan(20);
    expect(plan.links.map(({ path }) => path)).toEqual(expect.arrayContaining(['data/self', 'data/up']));
  });
});
