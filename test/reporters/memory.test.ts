import { describe, expect, it } from 'vitest';
import { renderInspection } from '../../src/reporters/inspection.js';
import type { RestorePoint } from '../../src/types.js';
import type { MemoryFacts } from '../../src/ways.js';
import { cpu, disk, factsOf, MIB, plain } from '../hardware/facts.js';

const POINT = { machine: 'shop', takenAt: null } as RestorePoint;
const NOTHING = { images: [], inspection: { tables: [], volumes: [], systems: [], databases: [], unjudged: [], findings: [], untested: [] } };

function shown(memory: MemoryFacts | string | null): string {
  return renderInspection(POINT, { ...NOTHING, memory }, 200);
}

describe('saved memory in an inspection', () => {
  it('tells what machine it was saved from', () => {
    const cpus = [cpu(0, { rip: '0xffffffff91810bda', apicTimer: 'periodic' }), { ...cpu(1), halted: true }];
    const text = shown(factsOf({ why: 'a migration stream of QEMU', compression: 'zstd', cpus, devices: [disk('03.0', 64 * MIB)] }));
    expect(text).toContain('Saved memory\n  a migration stream of QEMU, packed with zstd; whole\n');
    expect(text).toContain('machine: pc-q35-7.2, 2 processors, 1024 MiB of RAM; running');
    expect(text).toContain('processor 0: running at 0xffffffff91810bda, long mode, interrupts on, timer periodic');
    expect(text).toContain('processor 1: halted');
    expect(text).toContain('0000:00:03.0/virtio-blk (1af4:1001, 67 MB)');
  });

  it('tells what is wrong, what is not read, and what could not be', () => {
    const findings = [{ code: 'memory.stream.cut', severity: 'critical', message: 'The stream was cut off.', where: {} }] as const;
    expect(shown(factsOf({ complete: false, findings: [...findings] }))).toMatch(/NOT WHOLE[\s\S]*critical: The stream was cut off\./);
    expect(shown({ ...factsOf(), container: 'unread', why: "VMware's saved state" })).toContain("not read: it is VMware's saved state");
    expect(shown('It unpacks to more than 20 GiB.')).toContain('It unpacks to more than 20 GiB.');
    expect(shown(null)).not.toContain('Saved memory');
  });

  it('is harmless for the terminal, whatever names are in it', () => {
    const text = shown(factsOf({ devices: [plain('0000:00:09.0/\x1b[31mred'), plain('/\u202Eevil')] }));
    expect(text).not.toMatch(/[\x1b\u202e]/);
    expect(text).toContain('red');
  });
});
