import { describe, expect, it } from 'vitest';
import type { CheckContext, NoOptions } from '../../../src/check.js';
import { NotTestedError } from '../../../src/errors.js';
import type { Finding } from '../../../src/types.js';
import type { MemoryFacts } from '../../../src/ways.js';
import check, { type StreamEvidence } from './index.js';

const FACTS: MemoryFacts = {
  ...{ container: 'qemu-stream', compression: 'zstd', why: 'a migration stream of QEMU', machineType: 'pc-q35-7.2', ramBytes: 640 * 2 ** 20, blocks: [] },
  ...{ cpus: [], devices: [], runState: 'running', mappedPages: false, domainXml: null, complete: true, findings: [] },
};
const EVIDENCE: StreamEvidence = {
  ...{ path: '/b/vm.ram', container: 'qemu-stream', compression: 'zstd', why: 'a migration stream of QEMU', machineType: 'pc-q35-7.2', cpus: 2 },
  ...{ ramBytes: 640 * 2 ** 20, devices: 36, runState: 'running', complete: true, findings: [], contradictions: [] },
};
const finding = (code: string, severity: Finding['severity']): Finding => ({ code, severity, message: `Something about ${code}.`, where: {} });
const target = { kind: 'memory', id: 'memory', path: '/b/vm.ram' } as const;

function contextWith(facts: MemoryFacts, contradictions: Finding[] = []): CheckContext<NoOptions> {
  const labs = {
    memory: async () => ({ facts, ram: null, stream: () => undefined, close: async () => undefined }),
    hardware: async () => ({ description: null, findings: contradictions, obstacles: [] }),
  };
  return { labs, progress: () => undefined } as unknown as CheckContext<NoOptions>;
}

describe('memory/stream', () => {
  it('passes whole memory that fits, and says what its machine was', () => {
    const judgement = check.evaluate(EVIDENCE, {});
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [] });
    expect(judgement.summary).toMatch(/whole \(pc-q35-7.2, 2 processors, 640 MiB of RAM, 36 device states\)/);
    expect(judgement.untested).toEqual([expect.objectContaining({ why: expect.stringMatching(/checksums/), holdsData: false })]);
  });

  it.each([
    [{ complete: false, findings: [finding('memory.stream.cut', 'critical')] }, /fetch the file again/],
    [{ contradictions: [finding('hardware.disk-size', 'critical')] }, /which memory belongs to these disks/],
    [{ complete: false }, /fetch the file again/],
  ])('fails %j', (changes, advice) => {
    const judgement = check.evaluate({ ...EVIDENCE, ...changes }, {});
    expect(judgement.outcome).toBe('fail');
    expect(judgement.advice).toMatch(advice);
    expect(judgement.summary).not.toBe('');
  });

  it('passes what is only told', () => {
    const told = [finding('memory.stream.trailing', 'info'), finding('memory.stream.description', 'warning')];
    const judgement = check.evaluate({ ...EVIDENCE, findings: told, contradictions: [finding('hardware.cpus', 'warning')], runState: 'io-error' }, {});
    expect(judgement.outcome).toBe('pass');
    expect(judgement.findings.map(({ code }) => code)).toEqual([...told.map(({ code }) => code), 'hardware.cpus', 'memory.run-state']);
  });

  it('collects the facts, and contradictions of what is whole', async () => {
    const contradictions = [finding('hardware.cpus', 'critical')];
    expect(await check.collect(target, contextWith(FACTS, contradictions))).toMatchObject({ path: '/b/vm.ram', complete: true, contradictions });
    const cut = { ...FACTS, complete: false, findings: [finding('memory.stream.cut', 'critical')] };
    expect(await check.collect(target, contextWith(cut, contradictions))).toMatchObject({ complete: false, contradictions: [] });
  });

  it('lists memory that it cannot read as untested, and fails what is broken', async () => {
    const unread: MemoryFacts = { ...FACTS, container: 'unread', complete: false, why: "VMware's saved state" };
    await expect(check.collect(target, contextWith(unread))).rejects.toBeInstanceOf(NotTestedError);
    await expect(check.collect(target, contextWith(unread))).rejects.toThrow(/VMware/);
    const empty = { ...unread, findings: [finding('memory.empty', 'critical')] };
    expect(check.evaluate(await check.collect(target, contextWith(empty)), {}).outcome).toBe('fail');
  });
});
