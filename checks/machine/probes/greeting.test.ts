import { describe, expect, it } from 'vitest';
import type { LifeEvidence } from '../evidence.js';
import { HEALTHY } from '../testing/cases.js';
import { watched } from '../testing/watched.js';

describe('a greeting', () => {
  const until = (evidence: LifeEvidence): number => evidence.probes.find(({ kind }) => kind === 'power')?.wallMs ?? 0;

  it('tells a living system sooner than looking first', async () => {
    const greeted = await watched(HEALTHY, [], false, true);
    const lookedAt = await watched(HEALTHY);
    expect(until(greeted.evidence)).toBeLessThan(until(lookedAt.evidence) - 1_000);
    expect(greeted.evidence.probes.map(({ kind, answered }) => `${kind} ${answered}`)).toEqual(['lights true', 'keys true', 'serial true', 'power true']);
    expect(greeted.machine.touched).toContain('backspace');
    expect(greeted.machine.touched).toContain('serial "\u007f"');
  });

  it('is no answer where the consoles move by themselves', async () => {
    const moving = { ...HEALTHY, screen: (ms: number) => `12:00:${ms}`, serial: (ms: number) => 'working on it\n'.repeat(ms / 100) };
    const { evidence } = await watched({ ...moving, reacts: { lights: true } }, [], false, true);
    expect(evidence.probes.filter(({ kind, answered }) => kind !== 'power' && answered).map(({ kind }) => kind)).toEqual(['lights']);
  });

  it('is tried again where something else was printed in between', async () => {
    const interrupted = { ...HEALTHY, serial: (ms: number) => (ms > 700 ? '[    3.168538] eth0: link becomes ready\n' : '') };
    const { evidence } = await watched({ ...interrupted, reacts: { ...HEALTHY.reacts, keys: false } }, [], false, true);
    expect(evidence.probes.filter(({ answered }) => answered).map(({ kind }) => kind)).toEqual(['lights', 'serial', 'power']);
  });

  it('asks no more than it needs', async () => {
    const { evidence, machine } = await watched({ ...HEALTHY, reacts: { ...HEALTHY.reacts, serial: false } }, [], false, true);
    expect(evidence.probes.map(({ kind }) => kind)).toEqual(['lights', 'keys', 'power']);
    expect(machine.touched.filter((touched) => touched.startsWith('serial "z"'))).toHaveLength(1);
  });

  it('does not hurry where one processor does what the others do not', async () => {
    const uneven = await watched({ ...HEALTHY, busy: [0.8, 0.1] }, [], false, true);
    const even = await watched(HEALTHY, [], false, true);
    expect(until(uneven.evidence)).toBeGreaterThan(until(even.evidence) + 1_000);
  });
});
