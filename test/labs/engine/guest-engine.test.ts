import { describe, expect, it } from 'vitest';
import { findGuestEngine, guestPath, systemOf } from '../../../src/labs/engine/guest-engine.js';
import type { EngineRequest } from '../../../src/labs/lab.js';
import type { DatabaseInstance, GuestFiles, GuestLocation, OperatingSystem } from '../../../src/types.js';

const at = (volume: string, path: string): GuestLocation => ({ volume, path });
const mount = (mountPoint: string, location: GuestLocation | null) => ({
  ...{ mountPoint, spec: 'x', type: 'ext4', device: '/dev/sda1', subvolume: null, location },
});
const system = (changes: Partial<OperatingSystem> = {}): OperatingSystem => ({
  ...{ root: at('disk0/p1', '/'), type: 'linux', distro: 'debian', productName: 'Debian', version: '12', arch: 'x86_64', hostname: 'h', kernels: [] },
  mounts: [mount('/', at('disk0/p1', '/')), mount('/data', at('disk1', '/')), mount('/gone', null)],
  ...changes,
});
const instance = (location: GuestLocation): DatabaseInstance => ({ id: 'i', engine: 'postgresql', version: '15', location, links: [], facts: {} });
const filesWith = (...paths: string[]) =>
  ({ resolve: async (location: GuestLocation) => (paths.includes(location.path) ? location : null) }) as unknown as GuestFiles;

describe('the place of an instance', () => {
  it('is its path as the guest sees it', () => {
    expect(guestPath(at('disk1', '/pg/main'), system())).toBe('/data/pg/main');
    expect(guestPath(at('disk0/p1', '/var/lib/x'), system())).toBe('/var/lib/x');
    expect(guestPath(at('disk7', '/'), system())).toBeNull();
  });

  it('is found below a subvolume, and not beside it', () => {
    const mounts = [mount('/', at('disk0', '/@')), mount('/home', at('disk0', '/@home'))];
    expect(guestPath(at('disk0', '/@home/pg'), system({ mounts }))).toBe('/home/pg');
    expect(guestPath(at('disk0', '/@/..pg'), system({ mounts }))).toBe('/..pg');
    expect(guestPath(at('disk0', '/other'), system({ mounts }))).toBeNull();
  });

  it('belongs to no Windows and to no system that does not mount it', () => {
    expect(systemOf(instance(at('disk1', '/pg')), [system({ type: 'windows' }), system()])?.type).toBe('linux');
    expect(systemOf(instance(at('disk9', '/pg')), [system()])).toBeNull();
  });
});

describe("the guest's own engine", () => {
  const description = { name: 'PostgreSQL 15', program: 'postgres', guestFolders: ['/usr/lib/postgresql/15/bin', '/usr/bin'] } as EngineRequest['description'];
  const request = (systems: OperatingSystem[]) => ({ description, instance: instance(at('disk1', '/pg')), systems }) as unknown as EngineRequest;

  it('is the first that is there', async () => {
    const files = filesWith('/usr/lib/postgresql/14/bin/postgres', '/usr/bin/postgres');
    await expect(findGuestEngine(request([system()]), files)).resolves.toMatchObject({ binaries: '/usr/bin', dataFolder: '/data/pg' });
  });

  it.each([
    ['no system', [], 'no operating system'],
    ['another processor', [system({ arch: 'aarch64' })], 'aarch64'],
    ['no program', [system()], 'no PostgreSQL 15 program'],
  ])('is none with %s', async (_name, systems, why) => {
    await expect(findGuestEngine(request(systems), filesWith())).resolves.toContain(why);
  });
});
