import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTool, installCommand, matchingFiles, missingParts, packageOf, packages, toolPath } from '../../src/setup/debian.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sp-debian-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the list of packages', () => {
  it('says of each what it is for and what proves it present', () => {
    for (const item of packages) {
      expect(item.neededFor, item.name).not.toBe('');
      expect(item.tools.length + (item.files?.length ?? 0), item.name).toBeGreaterThan(0);
      expect(item.groups.filter((group) => !['build', 'run', 'sample', 'test'].includes(group))).toEqual([]);
      expect(item.groups).not.toEqual([]);
    }
    expect(new Set(packages.map((item) => item.name)).size).toBe(packages.length);
  });

  it('knows which package brings a tool', () => {
    expect(packageOf('guestfish')?.name).toBe('libguestfs-tools');
    expect(packageOf('/usr/lib/postgresql/15/bin/postgres')?.name).toBe('postgresql-15');
    expect(packageOf('no-such-tool')).toBeNull();
    expect(installCommand(['a', 'b'])).toMatch(/apt-get install --no-install-recommends a b$/);
  });
});

describe('finding tools', () => {
  it('looks in the folders of administrators too, and takes only programs', () => {
    expect(toolPath({ PATH: '/home/x/bin:relative:/usr/bin' }).split(':')).toEqual(expect.arrayContaining(['/home/x/bin', '/usr/sbin', '/sbin']));
    expect(toolPath({ PATH: 'relative' })).not.toContain('relative');
    writeFileSync(join(folder, 'tool'), '');
    expect(findTool('tool', { PATH: folder })).toBeNull();
    chmodSync(join(folder, 'tool'), 0o755);
    expect(findTool('tool', { PATH: folder })).toBe(join(folder, 'tool'));
    mkdirSync(join(folder, 'folder'));
    expect(findTool('folder', { PATH: folder })).toBeNull();
  });

  it('expands a star within one name of a path', () => {
    for (const name of ['a-1/x', 'a-2/x', 'b-1/x', 'a-3/y']) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), '');
    }
    expect(matchingFiles(`${folder}/a-*/x`)).toEqual([`${folder}/a-1/x`, `${folder}/a-2/x`]);
    expect(matchingFiles(`${folder}/a.1/x`)).toEqual([]);
    expect(matchingFiles(`${folder}/none-*/x`)).toEqual([]);
  });

  it('names what of a package is missing', () => {
    const item = { name: 'p', neededFor: 'a test', groups: ['run'], tools: ['sh', 'no-such-tool'], files: ['/etc/passwd', `${folder}/*.so`] };
    expect(missingParts(item)).toEqual(['no-such-tool', `${folder}/*.so`]);
  });
});
