/** What every probe of a service takes and gives. */
import type { GuestNetwork } from '../../../src/labs/lab.js';

/**
 * How much of the guest an answer proves. `link`: something has the address (interrupts and the lower half of the kernel). `kernel`: its TCP
 * answered, as it does for a program that has hung: a bare SYN-ACK is no more. `service`: bytes came that only the program can have sent.
 */
export type ProofOfService = 'link' | 'kernel' | 'service';

/**
 * `answered`: it speaks the protocol and serves. `not-ready`: it speaks it and says that it cannot serve yet, or no more. `other`: it speaks, but
 * not this protocol. `mute`: the connection was accepted, and nobody said anything. `refused`: nobody listens. `silent`: nothing came back.
 */
export type ServiceState = 'answered' | 'not-ready' | 'other' | 'mute' | 'refused' | 'silent';

export interface ServiceAnswer {
  /** Whether `state` is `answered`. */
  answered: boolean;
  state: ServiceState;
  /** Null: nothing. */
  proves: ProofOfService | null;
  /** What came back, in words; strings of the guest in it are escaped and short. */
  what: string;
  milliseconds: number;
}

export interface ProbeOptions {
  /** For all of it. */
  timeoutMs: number;
  /** Name of the host for protocols that ask for one; default: the address. */
  host?: string;
}

export interface ServiceProbe {
  /** As policies name it: `postgresql`. */
  name: string;
  defaultPort: number;
  transport: 'tcp' | 'udp';
  /** Never rejects but for what is wrong in this program. */
  probe(network: GuestNetwork, address: string, port: number, options: ProbeOptions): Promise<ServiceAnswer>;
}

/** What was made of the bytes that came. */
export interface Judged {
  state: 'answered' | 'not-ready' | 'other';
  what: string;
}

const MAX_QUOTED = 120;

/** Bytes of the guest for people: printable ASCII stays, all else is shown as `\x1b`; at most 120 of them. */
export function quoted(bytes: Buffer | string): string {
  const text = (typeof bytes === 'string' ? Buffer.from(bytes) : bytes).toString('latin1', 0, MAX_QUOTED + 1);
  const shown = text.slice(0, MAX_QUOTED).replace(/[^\x20-\x7e]|\\/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${shown}"${text.length > MAX_QUOTED ? '...' : ''}`;
}

export const answered = (what: string): Judged => ({ state: 'answered', what });
export const notReady = (what: string): Judged => ({ state: 'not-ready', what });
export const other = (bytes: Buffer): Judged => ({ state: 'other', what: `it said something else: ${quoted(bytes)}` });
