import { describe, expect, it } from 'vitest';
import { renderInspection } from '../../src/reporters/inspection.js';
import type { NetworkOffer, RestorePoint } from '../../src/types.js';
import { inspection } from '../runner/arbitrary.js';

const POINT = { machine: 'm', takenAt: null } as RestorePoint;

function textOf(network: NetworkOffer | undefined): string {
  const system = {
    root: { volume: 'disk0/p1', path: '/' },
    type: 'linux',
    distro: 'd',
    productName: 'D',
    version: '',
    arch: 'x86_64',
    hostname: '',
    kernels: [],
    mounts: [],
  };
  return renderInspection(POINT, { images: [], memory: null, inspection: inspection({ systems: [{ ...system, ...(network ? { network } : {}) }] }) }, 200);
}

describe('an inspection as text', () => {
  it('says what a guest will offer, and where', () => {
    const text = textOf({
      services: [
        { name: 'ssh', protocol: 'ssh', port: 22, address: null, reachable: true, from: '' },
        { name: 'x\x1b[2J', protocol: 'https', port: 443, address: '10.0.0.5', reachable: true, from: '' },
        { name: 'db', protocol: 'mysql', port: 3306, address: '127.0.0.1', reachable: false, from: '' },
      ],
      addresses: [
        { method: 'static', address: '10.0.0.5', prefix: 24, gateway: null, interface: 'eth0', mac: null, from: '' },
        { method: 'dhcp', address: null, prefix: null, gateway: null, interface: null, mac: null, from: '' },
      ],
    });
    expect(text).toContain('offers over the network: ssh *:22 (ssh), https 10.0.0.5:443 (x\\x1b[2J)\n');
    expect(text).toContain('addresses: 10.0.0.5/24 (eth0), dhcp\n');
  });

  it('says nothing of what was not looked for', () => expect(textOf(undefined)).not.toMatch(/offers|addresses/));
});
