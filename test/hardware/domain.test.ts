import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDomain } from '../../src/hardware/domain.js';
import { parseXml } from '../../src/hardware/xml.js';
import { described, disk, factsOf, MIB, pciDevice } from './facts.js';
import { imagesOf } from './images.js';

const PCI = (slot: string, bus = '0x00', more = '') => `<address type='pci' domain='0x0000' bus='${bus}' slot='${slot}' function='0x0'${more}/>`;
const XML = `<domain type='kvm' id='3'>
  <name>shop &amp; co</name>
  <memory unit='KiB'>1048576</memory><currentMemory unit='KiB'>524288</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader><nvram>/x</nvram></os>
  <features><vmport state='off'/></features>
  <cpu mode='custom' match='exact'><model fallback='forbid'>Nehalem</model><feature policy='require' name='vme'/><feature policy='disable' name='svm'/></cpu>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'><target chassis='1' port='0x10'/>${PCI('0x02', '0x00', " multifunction='on'")}</controller>
    <controller type='usb' index='0' model='qemu-xhci' ports='15'>${PCI('0x00', '0x01')}</controller>
    <controller type='scsi' index='0' model='virtio-scsi'>${PCI('0x08')}</controller>
    <controller type='sata' index='0'>${PCI('0x1f')}</controller>
    <controller type='virtio-serial' index='0'>${PCI('0x09')}</controller>
    <disk type='file' device='disk'><source file='/var/lib/vm/a/root.qcow2'/><target dev='vda' bus='virtio'/>${PCI('0x03')}</disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>
    <disk type='file' device='disk'><source file='/var/lib/vm/data.qcow2'/><target dev='sdb' bus='scsi'/><serial>D1</serial>
      <address type='drive' controller='0' bus='0' target='2' unit='0'/></disk>
    <interface type='bridge'><mac address='52:54:00:01:02:03'/><model type='virtio'/>${PCI('0x05')}</interface>
    <serial type='pty'><target type='isa-serial' port='0'/></serial><console type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/><address type='virtio-serial' controller='0' bus='0' port='1'/></channel>
    <input type='tablet' bus='usb'/><input type='keyboard' bus='ps2'/>
    <video><model type='qxl' vram='65536' heads='1'/>${PCI('0x01')}</video>
    <sound model='ich9'>${PCI('0x1b')}</sound>
    <memballoon model='virtio'>${PCI('0x0a')}</memballoon><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <panic model='isa'/><watchdog model='itco' action='reset'/>
    <hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev>
    <filesystem type='mount'><source dir='/etc'/><target dir='x'/></filesystem>
  </devices>
</domain>`;

describe("libvirt's description", () => {
  it('becomes a machine, with disks by the names of their files', () => {
    const images = imagesOf(MIB, MIB);
    const named = images.map((image, index) => {
      const path = `/backup/${index === 0 ? 'data.qcow2' : 'root.qcow2'}`;
      return { ...image, layers: [{ path, format: 'qcow2' as const, sizeBytes: 1, virtualSizeBytes: 1, promisedBytes: 1, backingPath: null, details: {} }] };
    });
    const { description, findings } = described({ domainXml: ['<network/>', XML], images: named });
    expect(findings).toEqual([]);
    expect(description).toMatchObject({ machineType: 'pc-q35-7.2', cpus: 2, memoryMiB: 1024, cpuModel: 'Nehalem,vme=on,svm=off', firmware: 'uefi' });
    expect(description.machineOptions).toEqual({ hpet: 'off', vmport: 'off' });
    expect(description.devices).toEqual([
      { driver: 'pcie-root-port', id: 'pci.1', bus: 'pcie.0', addr: '02.0', multifunction: true, chassis: 1, port: 16 },
      { driver: 'qemu-xhci', id: 'usb0', bus: 'pci.1', addr: '00.0', p2: 15, p3: 15 },
      { driver: 'virtio-scsi-pci', id: 'scsi0', bus: 'pcie.0', addr: '08.0' },
      { driver: 'virtio-serial-pci', id: 'virtio-serial0', bus: 'pcie.0', addr: '09.0' },
      { driver: 'virtio-blk-pci', bus: 'pcie.0', addr: '03.0', drive: 'disk1' },
      { driver: 'ide-cd', bus: 'ide.0' },
      { driver: 'scsi-hd', bus: 'scsi0.0', channel: 0, 'scsi-id': 2, lun: 0, serial: 'D1', drive: 'disk0' },
      { driver: 'virtio-net-pci', netdev: 'net0', mac: '52:54:00:01:02:03', bus: 'pcie.0', addr: '05.0' },
      { driver: 'isa-serial', chardev: 'serial0', index: 0 },
      { driver: 'virtserialport', bus: 'virtio-serial0.0', nr: 1, name: 'org.qemu.guest_agent.0' },
      { driver: 'usb-tablet', bus: 'usb0.0' },
      { driver: 'qxl-vga', bus: 'pcie.0', addr: '01.0' },
      { driver: 'ich9-intel-hda', id: 'sound0', bus: 'pcie.0', addr: '1b.0' },
      { driver: 'hda-duplex', bus: 'sound0.0', cad: 0, audiodev: 'audio0' },
      { driver: 'virtio-balloon-pci', bus: 'pcie.0', addr: '0a.0' },
      { driver: 'virtio-rng-pci' },
      { driver: 'pvpanic' },
    ]);
    expect(description.deviations).toEqual(['Left out: the device hostdev pci.', 'Left out: the device filesystem mount.']);
  });

  it('names the places of the disks of a saved machine, and must agree with the memory it came in', () => {
    const scsi = pciDevice('0000:00:08.0/virtio-scsi', '1af4:1004', { queues: 4 });
    const target = { ...pciDevice('0000:00:08.0/0:2:0/scsi-disk', '0000:0000'), pciAddress: null, pci: null };
    const devices = [scsi, target, disk('03.0')];
    const request = { way: 'resume' as const, images: imagesOf(MIB, MIB) };
    const { description, findings } = described({ ...request, facts: factsOf({ domainXml: XML, devices }) });
    expect(findings).toEqual([]);
    expect(description.devices.map(({ driver, drive }) => [driver, drive])).toEqual([
      ['virtio-scsi-pci', undefined],
      ['virtio-blk-pci', 'disk0'],
      ['scsi-hd', 'disk1'],
      ['pvpanic', undefined],
    ]);
    const wrong = XML.replace('>2</vcpu>', '>3</vcpu>');
    const severities = (more: object) => described({ ...request, ...more }).findings.map(({ code, severity }) => `${severity} ${code}`);
    expect(severities({ facts: factsOf({ domainXml: wrong, devices }) })).toEqual(['critical hardware.cpus']);
    // A description beside the disks may be the one for the next start.
    expect(severities({ facts: factsOf({ devices }), domainXml: [wrong] })).toEqual(['warning hardware.cpus']);
  });

  it('is found inside of a snapshot and of a saved status', () => {
    expect(parseDomain(`<domainsnapshot><name>x</name>${XML}</domainsnapshot>`)?.cpus).toBe(2);
    expect(parseDomain('<domainsnapshot><name>x</name></domainsnapshot>')).toBeNull();
  });

  it.each([
    ['an entity bomb', `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><domain>&b;</domain>`],
    ['an entity that nobody defined', '<domain>&file;</domain>'],
    ['elements without end', '<a>'.repeat(100_000)],
    ['too many elements', `<a>${'<b/>'.repeat(200_000)}</a>`],
    ['text that is too long', `<a>${'x'.repeat(5_000_000)}</a>`],
    ['no XML', '{"a": 1}'],
    ['nothing', ''],
  ])('with %s is refused', (_, text) => {
    expect(() => parseXml(text)).toThrow(/the XML cannot be read/);
    expect(described({ domainXml: [text] }).findings).toMatchObject([{ code: 'hardware.xml', severity: 'warning' }]);
  });

  it('throws nothing and brings nothing else to QEMU, whatever is changed in it', () => {
    const change = fc.tuple(
      fc.nat(XML.length),
      fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('__proto__', 'constructor', '/etc/shadow', '-1', '99999', "'", '<', '0x')),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        let text = XML;
        for (const [at, part] of changes) text = text.slice(0, at) + part + text.slice(at + part.length);
        const { description } = described({ domainXml: [text] });
        for (const device of description.devices) expect(JSON.stringify(device)).not.toMatch(/\/|\\/);
      }),
      { numRuns: 500 },
    );
  });
});
