/** The list of drivers that is appended to supermin's first file system. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveOf, readEntry, trimModules } from '../../../src/labs/appliance/initrd.js';

const DEBIAN_12 = ['crc32-pclmul', 'libnvdimm', 'scsi_common', 'scsi_mod', 'libata', 'virtio_ring', 'virtio', 'virtio_blk', 'virtio_console', 'virtio_net']
  .concat(['sd_mod', 'virtio_scsi', 'virtio_balloon', 'virtio_pci_legacy_dev', 'virtio_pci', 'fuse', 'libcrc32c'])
  .map((name) => `${name}.ko\n`)
  .join('');

describe('the list of drivers', () => {
  it('keeps what the appliance has devices for, in its order', () => {
    const kept = trimModules(DEBIAN_12);
    expect(kept?.trim().split('\n')).toEqual(
      ['crc32-pclmul', 'scsi_common', 'scsi_mod', 'virtio_ring', 'virtio', 'virtio_console', 'sd_mod', 'virtio_scsi']
        .concat(['virtio_pci_legacy_dev', 'virtio_pci', 'fuse', 'libcrc32c'])
        .map((name) => `${name}.ko`),
    );
  });

  it('is left alone where it looks otherwise', () => {
    expect(trimModules('ahci.ko\nsd_mod.ko\n')).toBeNull();
    expect(trimModules('')).toBeNull();
  });

  it('goes into an archive that cpio reads', () => {
    const archive = archiveOf('modules', 'sd_mod.ko\n');
    expect(execFileSync('cpio', ['-i', '--to-stdout', '--quiet'], { input: archive, encoding: 'utf8' })).toBe('sd_mod.ko\n');
    expect(readEntry(archive, 'modules')).toBe('sd_mod.ko\n');
    expect(readEntry(archive, 'init')).toBeNull();
  });

  it('is read from any bytes without an error', () => {
    const head = Buffer.from('070701');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readEntry(Buffer.concat([head, bytes]), 'modules')));
  });
});
