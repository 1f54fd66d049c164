/** A conversation with a service over TCP: what is said, what is made of the answer, and how it is told from no answer. */
import { SnapproofError } from '../../../src/errors.js';
import type { GuestConversation, GuestNetwork } from '../../../src/labs/lab.js';
import type { Judged, ProbeOptions, ServiceAnswer, ServiceProbe } from './probe.js';
import { other } from './probe.js';

/** Null: nobody said anything. */
export type Dialogue = (conversation: GuestConversation, scene: Scene) => Promise<Judged | null>;

export interface Scene {
  host: string;
  /** Milliseconds that are left; at least 1. */
  left(): number;
}

/** What is to be said first, and what the answer means; null: too little of it has come to say. */
export interface Exchange {
  say?: Buffer | ((scene: Scene) => Buffer);
  judge(bytes: Buffer): Judged | null;
}

const LOOK_FOR_ADDRESS_MS = 1500;

export function tcpProbe(name: string, defaultPort: number, dialogue: Dialogue): ServiceProbe {
  return { name, defaultPort, transport: 'tcp', probe: (network, address, port, options) => talk(network, address, port, options, dialogue) };
}

/** A probe of one question and one answer. */
export function exchangeProbe(name: string, defaultPort: number, steps: Exchange): ServiceProbe {
  return tcpProbe(name, defaultPort, (conversation, scene) => exchange(conversation, scene, steps));
}

export async function exchange(conversation: GuestConversation, scene: Scene, { say, judge }: Exchange): Promise<Judged | null> {
  if (say) await conversation.write(typeof say === 'function' ? say(scene) : say);
  const bytes = await conversation.readUntil((soFar) => judge(soFar) !== null, { timeoutMs: scene.left() });
  return judge(bytes) ?? (bytes.length > 0 ? other(bytes) : null);
}

export async function talk(network: GuestNetwork, address: string, port: number, options: ProbeOptions, dialogue: Dialogue): Promise<ServiceAnswer> {
  const start = performance.now();
  const left = () => Math.max(1, options.timeoutMs - (performance.now() - start));
  const result = (answer: Omit<ServiceAnswer, 'milliseconds' | 'answered'>): ServiceAnswer => {
    return { answered: answer.state === 'answered', ...answer, milliseconds: Math.round(performance.now() - start) };
  };
  let conversation: GuestConversation;
  try {
    conversation = await network.connect(address, port, { timeoutMs: options.timeoutMs });
  } catch (error) {
    return result(await withoutConversation(error, network, address));
  }
  let judged: Judged | null;
  let ended: GuestConversation['ended'];
  try {
    judged = await dialogue(conversation, { host: options.host ?? hostOf(address), left }).catch(brokenOff);
    ended = conversation.ended;
  } finally {
    await conversation.close();
  }
  if (judged) return result({ ...judged, proves: 'service' });
  const how = ended === null ? 'and nobody said anything' : `and ${ended === 'reset' ? 'broken off' : 'closed'} without a word`;
  return result({ state: 'mute', proves: 'kernel', what: `the connection was accepted, ${how}` });
}

/** What no connection says. @throws what is neither a refusal nor silence */
export async function withoutConversation(error: unknown, network: GuestNetwork, address: string): Promise<Omit<ServiceAnswer, 'milliseconds' | 'answered'>> {
  if (!(error instanceof SnapproofError)) throw error;
  if (error.code === 'network.refused') return { state: 'refused', proves: 'kernel', what: error.message };
  if (error.code !== 'network.silent') throw error;
  const options = { timeoutMs: LOOK_FOR_ADDRESS_MS, signal: new AbortController().signal };
  const isThere = (await network.discover([address], options)).includes(address);
  return { state: 'silent', proves: isThere ? 'link' : null, what: isThere ? `${error.message}, although the address is there` : error.message };
}

/** The guest ended the connection while something was said to it. */
function brokenOff(error: unknown): null {
  if (error instanceof SnapproofError && error.code === 'network.ended') return null;
  throw error;
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
