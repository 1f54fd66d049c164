/** Every service that can be asked whether it serves. Pure knowledge of protocols: each gets a network with the guest on it. */
import { DATABASE_PROBES } from './databases.js';
import { DATAGRAM_PROBES } from './datagrams.js';
import { tcpProbe } from './dialogue.js';
import { LDAP_PROBES } from './ldap.js';
import { LINE_PROBES } from './lines.js';
import { quoted, type ServiceProbe } from './probe.js';
import { WINDOWS_PROBES } from './windows.js';

export type { ProbeOptions, ProofOfService, ServiceAnswer, ServiceProbe, ServiceState } from './probe.js';

/** So long a service may take to say something of its own accord. */
const GREETING_MS = 2000;

/** Any service: that the connection is accepted is its answer, which the kernel gives; what it says by itself proves more. */
const openPort = tcpProbe('tcp', 0, async (conversation, scene) => {
  const bytes = await conversation.readUntil(() => true, { timeoutMs: Math.min(GREETING_MS, scene.left()) });
  return bytes.length > 0 ? { state: 'answered', what: `the connection was accepted, and it said ${quoted(bytes)}` } : null;
});

const tcp: ServiceProbe = {
  ...openPort,
  async probe(network, address, port, options) {
    const answer = await openPort.probe(network, address, port, options);
    return answer.state === 'mute' ? { ...answer, answered: true, state: 'answered' } : answer;
  },
};

export const SERVICE_PROBES: readonly ServiceProbe[] = [tcp, ...LINE_PROBES, ...DATABASE_PROBES, ...LDAP_PROBES, ...WINDOWS_PROBES, ...DATAGRAM_PROBES];

/** The probe of a protocol as policies name it. */
export function probeOf(protocol: string): ServiceProbe | undefined {
  return SERVICE_PROBES.find(({ name }) => name === protocol);
}
