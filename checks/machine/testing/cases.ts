/** What the cases of life and death share. */
import type { LifeState } from '../../../src/ways.js';
import type { ProbeResult } from '../evidence.js';
import type { Behaviour } from './simulated.js';

export const service = (changes: Partial<ProbeResult> = {}): ProbeResult => ({
  ...{
    kind: 'service',
    wallMs: 1000,
    guestMs: 1000,
    answered: true,
    proves: 'user-space',
    afterMs: 5,
    what: 'ssh on port 22: SSH-2.0-OpenSSH',
    required: false,
  },
  ...changes,
});

export const HEALTHY: Behaviour = {
  busy: [0.1, 0.05],
  switches: 50,
  newCode: 5,
  memoryChanges: 3,
  reacts: { lights: true, keys: true, serial: true },
  powerOffAfterMs: 4_000,
};
export const PANIC = '[   12.345678] Kernel panic - not syncing: sysrq triggered crash';
export const RESCUE =
  'SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\nGRUB loading.\nWelcome to GRUB!\nerror: no such partition.\ngrub rescue> ';
export const GRUB = 'GNU GRUB  version 2.06\n\n *Debian GNU/Linux';

export interface Case {
  name: string;
  behaviour: Behaviour;
  services?: ProbeResult[];
  encrypted?: boolean;
  state: LifeState;
  verdict: 'passed' | 'failed' | 'inconclusive';
}

export function reset(): { event: string; data: Record<string, unknown> } {
  return { event: 'RESET', data: { guest: true, reason: 'guest-reset' } };
}

export function bootsTo(end: string): (ms: number) => string {
  return (ms) => `${ms > 2000 ? 'Linux version 6.1.0-13-cloud-amd64\n' : ''}${ms > 8000 ? `systemd[1]: Started.\n${end}` : ''}`;
}
