import { describe, expect, it } from 'vitest';
import { recogniseMemory } from '../../src/memory/index.js';
import { codesOf, withMemory } from './open-built.js';
import { buildStream } from './stream-builder.js';

const XML = '<domain type="kvm"><name>shop</name></domain>';

function libvirtSave({ magic = 'LibvirtQemudSave', version = 2, format = 0, dataBytes = XML.length + 1, big = false } = {}): Buffer {
  const head = Buffer.alloc(92);
  head.write(magic);
  const words = [version, dataBytes, 1, format, 0];
  for (const [index, word] of words.entries()) {
    if (big) head.writeUInt32BE(word, 16 + index * 4);
    else head.writeUInt32LE(word, 16 + index * 4);
  }
  return Buffer.concat([head, Buffer.from(`${XML}\0`), buildStream()]);
}

describe("libvirt's saved state", () => {
  it.each([false, true])('is read with its XML, in either byte order (%s)', async (big) => {
    await withMemory(libvirtSave({ big }), async ({ facts }) => {
      expect(facts).toMatchObject({ container: 'libvirt-save', domainXml: XML, machineType: 'pc-q35-7.2', complete: true, findings: [] });
    });
  });

  it('that was never finished is told', async () => {
    await withMemory(libvirtSave({ magic: 'LibvirtQemudPart' }), async (memory) => {
      expect(memory.facts.complete).toBe(false);
      expect(codesOf(memory)).toEqual(['memory.libvirt.partial']);
    });
  });

  it.each([
    [{ version: 9 }, 'memory.libvirt.head'],
    [{ format: 7 }, 'memory.libvirt.head'],
    [{ dataBytes: 2 ** 31 }, 'memory.libvirt.head'],
    [{ dataBytes: 2 ** 20 }, 'memory.libvirt.cut'],
  ])('with an impossible head (%j) is told', async (options, code) => {
    await withMemory(libvirtSave(options), async (memory) => expect(codesOf(memory)).toEqual([code]));
  });

  it('that ends inside its head is told', async () => {
    await withMemory(libvirtSave().subarray(0, 60), async (memory) => expect(codesOf(memory)).toEqual(['memory.libvirt.cut']));
  });
});

describe('what is not read', () => {
  it.each([
    ['\xd2\xbe\xd2\xbe', /VMware/],
    ['\x7fVirtualBox SavedState V2.0\n', /VirtualBox/],
    ['\x14\x20\x28\x01', /Hyper-V/],
    ['XenSavedDomv2-\n', /XenServer/],
    ['\xff\xff\xff\xff\xff\xff\xff\xffXENF', /Xen/],
    ['VMA\0', /Proxmox/],
    ['\x7fELF', /ELF dump/],
    ['PAGEDU64', /Windows/],
    ['nothing at all', /no format/],
  ])('%j is called by its name, without a finding', async (magic, name) => {
    const bytes = Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(4096, 1)]);
    await withMemory(bytes, async (memory) => {
      expect(memory.facts).toMatchObject({ container: 'unread', complete: false, findings: [] });
      expect(memory.facts.why).toMatch(name);
      expect(memory.ram).toBeNull();
      expect(() => memory.stream()).toThrow(/no stream/);
    });
  });

  it('is called by its file name where the bytes say nothing', async () => {
    await withMemory(Buffer.alloc(8192, 3), async ({ facts }) => expect(facts.why).toMatch(/VMware's memory/), { name: 'vm.vmem' });
  });

  it('contradicts a manifest that calls it something that is read here', async () => {
    await withMemory(Buffer.alloc(8192), async (memory) => expect(codesOf(memory)).toEqual(['memory.format-contradicted']), { format: 'qemu-migration+zstd' });
    await withMemory(Buffer.alloc(8192), async (memory) => expect(codesOf(memory)).toEqual([]), { format: 'vmware' });
  });

  it('is a finding when it is empty or not there', async () => {
    await withMemory(Buffer.alloc(0), async (memory) => expect(codesOf(memory)).toEqual(['memory.empty']));
    await withMemory(Buffer.alloc(1), async (memory) => expect(codesOf(memory)).toEqual(['memory.missing']), { path: '/nowhere/vm.ram' });
  });

  it('leaves disks to the images', () => {
    expect(recogniseMemory(Buffer.from('QFI\xfb', 'latin1'))).toEqual({ kind: 'qcow2' });
    expect(recogniseMemory(Buffer.from('KDMV'))).toBeNull();
  });
});
