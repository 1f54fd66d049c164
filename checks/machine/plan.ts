/** With how much patience a machine is watched, and when there is nothing more to watch. */
import type { ProbeResult } from './evidence.js';
import { isOff } from './probes/power.js';
import type { Watch } from './watch/watch.js';

export interface Patience {
  /** Without any answer, before silence counts. */
  silenceMs: number;
  /** From the power button to the end. */
  powerMs: number;
  /** Of a cold boot, as long as something moves. */
  bootMs: number;
  /** Of a service, once the system is up. */
  serviceMs: number;
  /** On the wall, whatever the host is busy with. */
  wallMs: number;
}

/** Asks the guest's network and services; empty when there is nothing to ask. Called until it answers or time is over. */
export type AskNetwork = (watch: Watch) => Promise<ProbeResult[]>;

export interface Plan {
  patience: Patience;
  askNetwork: AskNetwork;
  /** Whether it asks for more than whether the guest is there. */
  asksServices: boolean;
  encrypted: boolean;
  /** By the saved processors an operating system ran, and neither firmware nor a loader. */
  systemRuns: boolean;
  /** By the saved processors, one of them took no interrupts: for a moment, or for ever. */
  mayHang: boolean;
  /** The firmware's own list of what to start lay in the machine's flash, which was not captured. */
  bootEntriesMissing: boolean;
  /** The saved processors look as if one of them will never go on: watchdogs of the guest get their time to complain. */
  suspicious: boolean;
}

const LOOP_RESTARTS = 3;

/** Off, gone, or restarting for ever. */
export const hasEnded = (watch: Watch): boolean => watch.isOver() || isOff(watch) || watch.restarts >= LOOP_RESTARTS;
