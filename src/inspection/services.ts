/**
 * What a guest is set up to offer over the network once it is up, and at which addresses, as its own files say. Nothing of it runs: a service
 * that is enabled may still fail to start, and that is for the machine to show.
 */
import type { ConfiguredAddress, GuestFiles, NetworkOffer, OfferedService, OperatingSystem } from '../types.js';
import type { AddressSource } from './services/addresses/configured.js';
import { ifcfg } from './services/addresses/ifcfg.js';
import { ifupdown } from './services/addresses/interfaces.js';
import { formerLeases } from './services/addresses/leases.js';
import { netplan } from './services/addresses/netplan.js';
import { networkManager } from './services/addresses/network-manager.js';
import { networkd } from './services/addresses/networkd.js';
import { apache } from './services/daemons/apache.js';
import { samba, vsftpd } from './services/daemons/files.js';
import { slapd } from './services/daemons/ldap.js';
import { dovecot, exim, postfix } from './services/daemons/mail.js';
import { mysql } from './services/daemons/mysql.js';
import { bind, dnsmasq, unbound } from './services/daemons/names.js';
import { nginx } from './services/daemons/nginx.js';
import { postgresql } from './services/daemons/postgresql.js';
import { redis } from './services/daemons/redis.js';
import { sshd, sshdOffers } from './services/daemons/ssh.js';
import { type Daemon, isLoopback, type Offer, tidy } from './services/offer.js';
import { GuestReader } from './services/reader.js';
import { socketOffers } from './services/sockets.js';
import { type EnabledUnit, enabledUnits } from './services/units.js';

const DAEMONS: Daemon[] = [sshd, postgresql, mysql, redis, nginx, apache, postfix, exim, dovecot, slapd, bind, unbound, dnsmasq, samba, vsftpd];
const ADDRESS_SOURCES: AddressSource[] = [ifupdown, networkd, netplan, networkManager, ifcfg, formerLeases];
const MAX_SERVICES = 200;
const MAX_ADDRESSES = 64;
/** Makes the socket of sshd listen where sshd's own settings say (Ubuntu since 24.04). */
const SSHD_SOCKET_GENERATOR = '/usr/lib/systemd/system-generators/sshd-socket-generator';

export async function findNetworkOffer(files: GuestFiles, system: OperatingSystem): Promise<NetworkOffer> {
  if (system.type !== 'linux') return { services: [], addresses: [] };
  const reader = new GuestReader(files, system);
  const units = await enabledUnits(reader);
  const services = await Promise.all(units.map((unit) => servicesOf(reader, unit, units)));
  const addresses = await Promise.all(ADDRESS_SOURCES.map((source) => source(reader)));
  return { services: onceEach(services.flat()).slice(0, MAX_SERVICES), addresses: addresses.flat().slice(0, MAX_ADDRESSES) };
}

async function servicesOf(reader: GuestReader, unit: EnabledUnit, all: EnabledUnit[]): Promise<OfferedService[]> {
  const offers = unit.name.endsWith('.socket') ? await ofSocket(reader, unit.name) : await ofDaemon(reader, unit.name, all);
  return tidy(offers).map(({ protocol, port, address, from }) => ({
    ...{ name: unit.name, protocol, port, address, from },
    reachable: !isLoopback(address),
  }));
}

async function ofSocket(reader: GuestReader, name: string): Promise<Offer[]> {
  return name === 'ssh.socket' && (await reader.exists(SSHD_SOCKET_GENERATOR)) ? sshdOffers(reader) : socketOffers(reader, name);
}

/** A daemon whose socket listens for it says nothing by itself. */
async function ofDaemon(reader: GuestReader, name: string, all: EnabledUnit[]): Promise<Offer[]> {
  const daemon = DAEMONS.find(({ units }) => units.test(name));
  return daemon && !all.some((other) => other.name === `${name}.socket`) ? daemon.offers(reader, name) : [];
}

/** Two names of one daemon (`mysql`, `mariadb`) are one service. */
function onceEach(services: OfferedService[]): OfferedService[] {
  return [...new Map(services.map((service) => [`${service.protocol} ${service.port} ${service.address}`, service] as const).reverse()).values()].reverse();
}

/** The addresses at which the guest should be found, for a search on its network. */
export function expectedAddresses(addresses: ConfiguredAddress[]): string[] {
  return [...new Set(addresses.flatMap(({ address }) => address ?? []))];
}
