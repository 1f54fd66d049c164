import { describe, expect, it } from 'vitest';
import { MissingToolError } from '../../src/errors.js';
import { type Confinement, confinedCommand } from '../../src/labs/sandbox/arguments.js';
import { findTool, missingTool } from '../../src/labs/sandbox/find-tool.js';

const confinement: Confinement = {
  mode: 'user-namespace',
  bwrap: '/usr/bin/bwrap',
  prlimit: '/usr/bin/prlimit',
  systemFolders: [
    { path: '/usr', link: null },
    { path: '/bin', link: 'usr/bin' },
  ],
  fileBytes: 1000,
};

const lineOf = (more: object, mode: Confinement['mode'] = 'user-namespace') =>
  confinedCommand({ ...confinement, mode }, { tool: 'x', args: ['--', '-y', '$(z)'], ...more }, '/usr/bin/x').join(' ');

describe('confinedCommand', () => {
  it('limits, isolates, and hands the arguments over unchanged', () => {
    const line = lineOf({ memoryBytes: 5000 });
    expect(line).toMatch(/^\/usr\/bin\/prlimit --as=5000 --core=0 --fsize=1000 -- \/usr\/bin\/bwrap --unshare-all --cap-drop ALL /);
    expect(line).toContain(
      '--die-with-parent --new-session --clearenv --ro-bind /usr /usr --symlink usr/bin /bin --proc /proc --remount-ro /proc --dev /dev --tmpfs /tmp ',
    );
    expect(line.endsWith('--chdir / -- /usr/bin/x -- -y $(z)')).toBe(true);
  });

  it('limits private memory instead of address space, and files, where a server asks for it', () => {
    const line = lineOf({ memoryBytes: 5000, dataBytes: 7000, fileBytes: 9000 });
    expect(line).toMatch(/^\/usr\/bin\/prlimit --data=7000 --core=0 --fsize=9000 -- /);
  });

  it('grants a capability only where it is asked for, and over the namespaces of the tool alone', () => {
    const capabilities = ['CAP_NET_ADMIN'];
    expect(lineOf({ capabilities })).toContain('--unshare-all --cap-drop ALL --unshare-user --uid 0 --gid 0 --cap-add CAP_NET_ADMIN');
    expect(lineOf({ capabilities }, 'root')).toContain('--unshare-net');
    expect(lineOf({ capabilities }, 'root')).toContain('--cap-add CAP_DAC_OVERRIDE --cap-add CAP_NET_ADMIN');
    expect(lineOf({})).not.toContain('--cap-add');
  });

  it('never shares the network, as whatever user', () => {
    expect(lineOf({}, 'root')).toContain('--unshare-net');
    expect(lineOf({}, 'root')).toContain('--cap-drop ALL --cap-add CAP_DAC_OVERRIDE');
    expect(lineOf({ uid: 26 }, 'root')).toContain('--unshare-all --cap-drop ALL --unshare-user --uid 26 --gid 26');
    for (const mode of ['root', 'user-namespace'] as const) expect(lineOf({}, mode)).not.toContain('--share-net');
  });

  it('binds what is readable read-only, and only what is writable writable', () => {
    const line = lineOf({ readable: ['/a b', '--b'], writable: ['/w'], devices: ['/dev/kvm'] });
    expect(line).toContain('--dev-bind /dev/kvm /dev/kvm --ro-bind /a b /a b --ro-bind --b --b --bind /w /w');
  });
});

describe('tools', () => {
  it('are found on the path or in sbin, never relative to here', () => {
    expect(findTool('sh', '/usr/bin')).toBe('/usr/bin/sh');
    expect(findTool('prlimit', '')).toBe('/usr/bin/prlimit');
    expect(() => findTool('./package.json', '.')).toThrow(MissingToolError);
    expect(() => findTool('package.json', '.')).toThrow(MissingToolError);
  });

  it('that are missing are named with the command that installs them', () => {
    expect(missingTool('bwrap').message).toBe('The program "bwrap" is not on this host. Install it: apt-get install bubblewrap');
    expect(missingTool('qemu-img').advice).toBe('Install it: apt-get install qemu-utils');
    expect(missingTool('other').message).toContain('"other"');
  });
});
