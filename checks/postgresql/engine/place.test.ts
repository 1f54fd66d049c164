import { describe, expect, it } from 'vitest';
import type { DatabaseInstance, GuestFiles, GuestLocation, Inspection, OperatingSystem } from '../../../src/types.js';
import { findEngine, guestPath, systemOf } from './place.js';

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
const inspection = (...systems: OperatingSystem[]) =>
  ({ tables: [], volumes: [], systems, databases: [], unjudged: [], findings: [], untested: [] }) as Inspection;
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
    expect(systemOf(instance(at('disk1', '/pg')), inspection(system({ type: 'windows' }), system()))?.type).toBe('linux');
    expect(systemOf(instance(at('disk9', '/pg')), inspection(system()))).toBeNull();
  });
});

describe('the engine', () => {
  const main = instance(at('disk1', '/pg'));

  it('is the one of the version of the cluster', async () => {
    const files = filesWith('/usr/lib/postgresql/14/bin/postgres', '/usr/lib/postgresql/15/bin/postgres');
    await expect(findEngine(main, inspection(system()), files)).resolves.toMatchObject({ binaries: '/usr/lib/postgresql/15/bin', dataFolder: '/data/pg' });
  });

  it.each([
    ['no system', inspection(), 'no operating system'],
    ['another processor', inspection(system({ arch: 'aarch64' })), 'aarch64'],
    ['no program', inspection(system()), 'no PostgreSQL 15 program'],
  ])('is untested with %s', async (_name, found, why) => {
    await expect(findEngine(main, found, filesWith())).rejects.toThrow(why);
  });
});
