/** Puts packets into frames and onto the link, in the virtual network in which the guest is. */
import { ALL_NODES, familyOf, groupMac, solicitedNode } from './addresses.js';
import { ARP_DESTINATION, arpRequest } from './arp.js';
import { buildEthernet, ETHER_TYPE } from './ethernet.js';
import { OWN_LINK_LOCAL, OWN_MAC } from './identity.js';
import { buildIp, type OutgoingIp } from './ip.js';
import { solicitation } from './nd.js';
import type { Path } from './neighbours.js';

export function sendFrame(path: Path, type: number, payload: Buffer): void {
  path.link.send(buildEthernet({ destination: path.mac, source: OWN_MAC, tags: path.tags, type, payload }));
}

export function sendIp(path: Path, packet: OutgoingIp): void {
  sendFrame(path, familyOf(packet.destination) === 6 ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4, buildIp(packet));
}

/** Asks who has an address. @param place its `mac` does not matter */
export function askFor(address: string, own: string, place: Omit<Path, 'mac'>): void {
  if (familyOf(address) === 6) sendIp({ ...place, mac: groupMac(solicitedNode(address)) }, solicitation(OWN_LINK_LOCAL, address, OWN_MAC));
  else sendFrame({ ...place, mac: ARP_DESTINATION }, ETHER_TYPE.arp, arpRequest(OWN_MAC, own, address));
}

export function toAllNodes(place: Omit<Path, 'mac'>, packet: OutgoingIp): void {
  sendIp({ ...place, mac: groupMac(ALL_NODES) }, packet);
}
