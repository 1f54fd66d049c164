/** A Linux guest made of a few files, for tests. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeFiles } from '../../checks/testing/write-files.js';
import { FolderFiles } from '../../src/bytes/folder-files.js';
import { findNetworkOffer } from '../../src/inspection/services.js';
import type { NetworkOffer, OperatingSystem } from '../../src/types.js';

export const SYSTEM: OperatingSystem = {
  ...{ root: { volume: 'v', path: '/' }, type: 'linux', distro: 'debian', productName: 'Debian', version: '12', arch: 'x86_64', hostname: 'h', kernels: [] },
  mounts: [{ mountPoint: '/', spec: 'v', type: 'ext4', device: null, subvolume: null, location: { volume: 'v', path: '/' } }],
};

export interface GuestParts {
  files?: Record<string, string>;
  /** Target by path. */
  links?: Record<string, string>;
}

/** A guest that boots by systemd and has these units enabled. */
export function withUnits(units: string[], parts: GuestParts = {}): GuestParts {
  const files = Object.fromEntries(units.map((unit) => [`lib/systemd/system/${unit.replace(/@[^.]*\./, '@.')}`, '[Unit]\n']));
  const links = Object.fromEntries(
    units.map((unit) => [`etc/systemd/system/${unit.endsWith('.socket') ? 'sockets' : 'multi-user'}.target.wants/${unit}`, '/lib/x']),
  );
  return { files: { ...files, ...parts.files }, links: { 'sbin/init': '/lib/systemd/systemd', ...links, ...parts.links } };
}

export function guestFolder({ files = {}, links = {} }: GuestParts): FolderFiles {
  const folder = mkdtempSync(join(tmpdir(), 'sp-offer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFiles(folder, files);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(target, join(folder, path));
  }
  return new FolderFiles({ v: folder });
}

export function offerOf(parts: GuestParts): Promise<NetworkOffer> {
  return findNetworkOffer(guestFolder(parts), SYSTEM);
}

/** Short: `ssh 22 *`. */
export async function servicesOf(parts: GuestParts): Promise<string[]> {
  const { services } = await offerOf(parts);
  return services.map(({ protocol, port, address }) => `${protocol} ${port} ${address ?? '*'}`);
}
