/** What was seen of a machine that was brought back: plain JSON, small, enough to judge it again years later. */
import type { MachineTrouble } from '../../src/labs/lab.js';
import type { BootStage, Look, MachineEvent, Way } from '../../src/ways.js';

/**
 * How deep into the machine an answer proves life. `processor`: it woke at all. `kernel`: interrupts are taken and handled.
 * `user-space`: a program of the guest did its work. `orderly`: the whole system, down to its disks, did what it was asked.
 */
export type ProofLevel = 'processor' | 'kernel' | 'user-space' | 'orderly';

export type ProbeKind = 'keys' | 'lights' | 'serial' | 'sysrq' | 'link' | 'service' | 'login' | 'power';

/** One stimulus and what came of it. */
export interface ProbeResult {
  kind: ProbeKind;
  /** On both clocks, from the start. */
  wallMs: number;
  guestMs: number;
  answered: boolean;
  /** Null when nothing answered. */
  proves: ProofLevel | null;
  afterMs: number | null;
  /** What was done and what came back, escaped and short. */
  what: string;
  /** Of a service that the policy names: its failure counts. */
  required: boolean;
}

/** A text of a console that says what happened. Never the only proof of anything. */
export interface Recognised {
  /** `linux.panic`, `firmware.no-boot-device`, ... */
  code: string;
  meaning: TextMeaning;
  text: string;
  /** `picture`: read from the pixels of a screen. */
  source: 'screen' | 'serial' | 'picture';
  /** It came after the start. What a resumed screen already showed may be days old. */
  fresh: boolean;
}

export type TextMeaning =
  | 'panic'
  | 'lockup'
  | 'hung-task'
  | 'io-error'
  | 'no-boot-device'
  | 'loader'
  | 'loader-failed'
  | 'emergency'
  | 'passphrase'
  | 'kernel'
  | 'user-space'
  | 'login'
  | 'file-system-check';

/** How the watching ended. `refused`: QEMU did not take the hardware or the memory. `overlay-full`: the guest wrote more than the limit. */
export type Ending = 'powered-off' | 'suspended' | 'stopped-by-us' | 'overlay-full' | 'refused' | 'crashed';

export interface LifeEvidence {
  way: Way;
  accelerator: 'kvm' | 'tcg';
  /** Why nothing could be started, in QEMU's words, when `ending` is `refused` or `crashed`. */
  refusal: string;
  ending: Ending;
  /** Thinned to at most 240, first and last kept. */
  looks: Look[];
  /** At most 200. */
  events: MachineEvent[];
  probes: ProbeResult[];
  recognised: Recognised[];
  /** What a console that waits shows last. */
  prompt: Recognised | null;
  /** What stood on its screen at the end; where that shows nothing, at the end of its serial line. */
  standing: Recognised[];
  stages: { stage: BootStage; wallMs: number; guestMs: number }[];
  /** Screens and logs that were kept. */
  artefacts: string[];
  /** The disks hold an encrypted volume that asks for a secret. */
  encrypted: boolean;
  /** A UEFI machine whose own list of what to start lay in its flash, which was not captured: it was started with an empty one. */
  bootEntriesMissing: boolean;
  /** What kept a disk from working that is not the guest's own doing. */
  trouble: MachineTrouble | null;
  /** How the machine differs from the original. */
  deviations: string[];
}
