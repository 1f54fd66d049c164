import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckTarget } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { SandboxRequest, SandboxResult } from '../../../src/labs/lab.js';
import { collect, parseReport } from './collect.js';
import { evaluate } from './evaluate.js';
import type { LayerReport } from './evidence.js';
import check from './index.js';

const layer = (report: Partial<LayerReport>): LayerReport => ({
  path: '/backup/disk.qcow2',
  format: 'qcow2',
  notChecked: null,
  dirty: false,
  staleCounts: 0,
  report: { corruptions: 0, leaks: 0, checkErrors: 0 },
  exitCode: 0,
  messages: [],
  moreMessages: 0,
  ...report,
});

const target = (format: string, details = {}): CheckTarget =>
  ({ kind: 'image', id: 'disk0', image: { name: 'disk0', refused: null, layers: [{ path: '/backup/a,b', format, details }] } }) as unknown as CheckTarget;

async function collectWith(answer: Partial<SandboxResult>, format = 'qcow2', details = {}) {
  const requests: SandboxRequest[] = [];
  const run = async (request: SandboxRequest) => {
    requests.push(request);
    return { exitCode: 0, stdout: '', stderr: '', timedOut: false, truncated: false, durationMs: 1, ...answer };
  };
  const context = { labs: { sandbox: { run } }, options: { memoryMiB: 512 }, signal: new AbortController().signal, progress: () => undefined };
  const evidence = await collect(target(format, details), context as never);
  return { evidence, requests };
}

describe('image/structure', () => {
  it('judges by the report, not by the exit code', () => {
    expect(evaluate({ layers: [layer({ exitCode: 3 })] }).outcome).toBe('pass');
    expect(evaluate({ layers: [layer({ exitCode: 0, report: { corruptions: 1, leaks: 0, checkErrors: 0 } })] }).outcome).toBe('fail');
    expect(evaluate({ layers: [layer({ exitCode: 0, report: null })] }).findings).toMatchObject([{ code: 'image.structure.unopenable' }]);
    expect(evaluate({ layers: [layer({ report: { corruptions: 0, leaks: 0, checkErrors: 2 } })] }).findings).toMatchObject([
      { code: 'image.structure.check-errors' },
    ]);
  });

  it('takes counts that are behind for what they are only where the image announces them', () => {
    const report = { corruptions: 6, leaks: 0, checkErrors: 0 };
    expect(evaluate({ layers: [layer({ report, dirty: true, staleCounts: 6 })] })).toMatchObject({
      outcome: 'pass',
      findings: [{ code: 'image.structure.counts-behind' }],
    });
    expect(evaluate({ layers: [layer({ report, dirty: true, staleCounts: 5 })] }).outcome).toBe('fail');
    expect(evaluate({ layers: [layer({ report, dirty: false, staleCounts: 6 })] }).outcome).toBe('fail');
  });

  it('leaves a VHDX with a log in use untested', async () => {
    const { evidence, requests } = await collectWith({}, 'vhdx', { logInUse: true });
    expect(requests).toEqual([]);
    expect(evaluate(evidence)).toMatchObject({ outcome: 'pass', untested: [{ holdsData: true }] });
  });

  it('shows the tool only the one file, states its format, and never lets it open a backing file', async () => {
    const { requests } = await collectWith({ stdout: '{"check-errors": 0}' });
    const [request] = requests;
    expect(request).toMatchObject({ tool: 'qemu-img', readable: ['/backup/a,b'], memoryBytes: 512 * 2 ** 20 });
    expect(request?.writable).toBeUndefined();
    const node = JSON.parse(request?.args.at(-1)?.replace('json:', '') ?? '');
    expect(node).toEqual({ driver: 'qcow2', backing: null, file: { driver: 'file', filename: '/backup/a,b' } });
  });

  it('keeps evidence small', async () => {
    const { evidence } = await collectWith({ stderr: `${'x'.repeat(5000)}\n`.repeat(1000) });
    expect(JSON.stringify(evidence).length).toBeLessThan(10_000);
    expect(evidence.layers[0]).toMatchObject({ report: null, moreMessages: 980 });
  });

  it('cannot run, rather than fails, when time or memory do not suffice', async () => {
    await expect(collectWith({ timedOut: true })).rejects.toThrow(LabError);
    await expect(collectWith({ stderr: 'qemu-img: Cannot allocate memory' })).rejects.toThrow('needs more than 512 MiB');
  });

  it('does not look at refused images', () => {
    const image = { refused: { code: 'x' } };
    expect(check.skipReason({ kind: 'image', id: 'disk0', image } as unknown as CheckTarget, {} as never)).toContain('refused');
    expect(check.skipReason(target('raw'), {} as never)).toBeNull();
  });

  it('reads any output of the tool without failing', () => {
    expect(parseReport('{"check-errors": 0, "corruptions": 3, "leaks": "many"}')).toEqual({ corruptions: 3, leaks: 0, checkErrors: 0 });
    for (const text of ['', 'null', '[]', '{}', '{"check-errors": "0"}', 'oops']) expect(parseReport(text)).toBeNull();
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseReport(text)));
  });
});
