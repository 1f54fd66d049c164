/** A simulated machine, watched and touched as a real one is. */
import type { Artefact } from '../../../src/ways.js';
import type { LifeEvidence, ProbeResult } from '../evidence.js';
import type { Patience } from '../plan.js';
import { observe } from '../procedure.js';
import { Watch } from '../watch/watch.js';
import { type Behaviour, SimulatedMachine } from './simulated.js';

const PATIENCE: Patience = { silenceMs: 40_000, powerMs: 90_000, bootMs: 600_000, serviceMs: 30_000, wallMs: 3_600_000 };
const keep = async (name: string, mediaType: string, bytes: Uint8Array): Promise<Artefact> => ({
  name,
  mediaType,
  sizeBytes: bytes.length,
  sha256: 'a'.repeat(64),
});

export async function watched(
  behaviour: Behaviour,
  services: ProbeResult[] = [],
  encrypted = false,
  systemRuns = false,
): Promise<{ evidence: LifeEvidence; machine: SimulatedMachine }> {
  const machine = new SimulatedMachine(behaviour);
  const watch = new Watch(machine, keep, new AbortController().signal, async (png) => Buffer.from(png).toString());
  const facts = { encrypted, systemRuns, mayHang: false, suspicious: false, bootEntriesMissing: false };
  const evidence = await observe(watch, { patience: PATIENCE, askNetwork: async () => services, asksServices: services.length > 0, ...facts });
  // Evidence is stored as JSON and may be judged again from it.
  return { evidence: JSON.parse(JSON.stringify(evidence)) as LifeEvidence, machine };
}
