import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followLinks, fromSystemRoot } from '../../../src/labs/appliance/links.js';
import type { GuestEntry, GuestLocation, OperatingSystem } from '../../../src/types.js';

const mount = (mountPoint: string, location: GuestLocation | null) => ({
  ...{ mountPoint, spec: '', type: 'ext4', device: null, subvolume: null, location },
});
const system: OperatingSystem = {
  ...{ root: { volume: 'root', path: '/' }, type: 'linux', distro: '', productName: '', version: '', arch: '', hostname: '', kernels: [] },
  mounts: [mount('/', { volume: 'root', path: '/' }), mount('/data', { volume: 'data', path: '/' }), mount('/lost', null)],
};

/** Links by `volume:path`; everything else that is asked for is a folder, unless `absent` names it. */
function follow(path: string, links: Record<string, string>, absent: string[] = []) {
  const stat = async (location: GuestLocation): Promise<GuestEntry | null> => {
    const key = `${location.volume}:${location.path}`;
    if (absent.includes(key)) return null;
    const target = links[key] ?? null;
    return { location, type: target === null ? 'directory' : 'symlink', target, sizeBytes: 0, modifiedAt: null, uid: 0, gid: 0, mode: 0 };
  };
  return followLinks({ volume: 'root', path }, [system], stat);
}

describe('links of a guest', () => {
  it.each([
    ['/a/b', {}, { volume: 'root', path: '/a/b' }],
    ['/a', { 'root:/a': 'b/c' }, { volume: 'root', path: '/b/c' }],
    ['/a/x', { 'root:/a': '/data/pg' }, { volume: 'data', path: '/pg/x' }],
    ['/a', { 'root:/a': '/data/back', 'data:/back': '/etc' }, { volume: 'root', path: '/etc' }],
    ['/a', { 'root:/a': '../../../../etc/passwd' }, { volume: 'root', path: '/etc/passwd' }],
  ])('%s with %j', async (path, links, place) => {
    expect(await follow(path, links as Record<string, string>)).toEqual(place);
  });

  it('that loop, dangle or leave the restore point lead nowhere', async () => {
    expect(await follow('/a', { 'root:/a': 'b', 'root:/b': 'a' })).toBeNull();
    expect(await follow('/a', { 'root:/a': 'b' }, ['root:/b'])).toBeNull();
    expect(await follow('/a', { 'root:/a': '/lost/x' })).toBeNull();
  });

  it('end, and never climb above the root', async () => {
    const part = fc.constantFrom('a', 'b', '..', '.', '/', 'data', 'lost');
    const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(path, path, path, async (start, a, b) => {
        const place = await follow(`/${start}`, { 'root:/a': a, 'root:/b': b, 'data:/a': b });
        if (place) expect(posix.normalize(place.path)).toBe(place.path);
        if (place) expect(place.path.split('/')).not.toContain('..');
      }),
    );
  });

  it('of a volume of no known system start at its own top', () => {
    expect(fromSystemRoot('/x/../y', 'alone', [])).toEqual({ volume: 'alone', path: '/y' });
    expect(fromSystemRoot('/database', 'root', [system])).toEqual({ volume: 'root', path: '/database' });
  });
});
