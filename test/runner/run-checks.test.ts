import { describe, expect, it } from 'vitest';
import type { Check, CheckTarget } from '../../src/check.js';
import { InterruptedError, LabError, NotTestedError } from '../../src/errors.js';
import { depthReaches, isSelected, NOTHING_INSPECTED, runStage, type StageRequest } from '../../src/runner/run-checks.js';
import type { Judgement, Policy } from '../../src/types.js';
import { memoryLabs } from '../labs/memory.js';
import { database } from './arbitrary.js';

const PASS: Judgement = { outcome: 'pass', summary: 'all is well', findings: [], tested: [{ what: 'it', how: 'so' }], untested: [] };
const POLICY: Policy = {
  ...{ depth: 'recovery', only: [], skip: [], engine: 'auto', allowedFolders: [], options: {}, expect: [], services: [] },
  limits: { overlayBytes: 1, checkTimeoutMs: 1, applianceMemoryMiB: 1 },
};
const TARGET: CheckTarget = { kind: 'instance', id: 'd', instance: database('d') };

const check = (changes: Partial<Check> = {}): Check => ({
  ...{ id: 'sqlite/one', title: 't', failureTitle: 'f', description: 'd', stage: 'static', depth: 'static', targetKind: 'instance', lab: 'none' },
  ...{
    timeoutMs: 5000,
    optionsSchema: {},
    defaultOptions: { limit: 1, other: 2 },
    skipReason: () => null,
    collect: async () => 'evidence',
    evaluate: () => PASS,
  },
  ...changes,
});

function run(checks: Check[], changes: Partial<StageRequest> & { signal?: AbortSignal } = {}) {
  const context = {
    ...{ restorePoint: {} as never, inspection: NOTHING_INSPECTED, labs: memoryLabs(), progress: () => undefined },
    signal: changes.signal ?? new AbortController().signal,
    once: <T>(_key: string, work: () => Promise<T>) => work(),
  };
  return runStage({ stage: 'static', checks, targets: [TARGET], policy: POLICY, concurrency: 2, blockedBy: null, context, ...changes });
}

const policy = (changes: Partial<Policy>) => ({ policy: { ...POLICY, ...changes } });
const refuses = (error: unknown) =>
  check({
    collect: async () => {
      throw error;
    },
  });

describe('a check', () => {
  it('that passes is recorded with what it tested', async () => {
    expect(await run([check()])).toMatchObject([{ id: 'sqlite/one', target: 'd', outcome: 'pass', required: true, tested: [{ what: 'it' }], untested: [] }]);
  });

  it('gets its default options under those of the policy, and evidence goes on to the judgement', async () => {
    const seen: unknown[] = [];
    const curious = check({
      collect: async (_target, context) => context.options,
      evaluate: (evidence, options) => {
        seen.push(evidence, options);
        return PASS;
      },
    });
    await run([curious], policy({ options: { 'sqlite/one': { limit: 9 } } }));
    expect(seen).toEqual([
      { limit: 9, other: 2 },
      { limit: 9, other: 2 },
    ]);
  });

  it('that does not apply is skipped, and is not untested', async () => {
    expect(await run([check({ skipReason: () => 'it is no such thing' })])).toMatchObject([{ outcome: 'skip', summary: 'it is no such thing', untested: [] }]);
  });

  it('of another engine leaves no row', async () => {
    expect(await run([check({ id: 'postgresql/one', skipReason: () => 'another engine' })])).toEqual([]);
  });

  it.each([
    ['left out by the policy', policy({ skip: ['sqlite'] }), 'left out by the policy'],
    ['not asked for', policy({ only: ['image'] }), 'only other checks were asked for'],
    ['too deep', policy({ depth: 'static' }), 'needs depth "recovery"'],
    ['blocked', { blockedBy: 'the image was refused' }, 'the image was refused'],
  ])('that is %s is skipped and untested', async (_name, changes, why) => {
    const [result] = await run([check({ depth: 'recovery' })], changes);
    expect(result).toMatchObject({
      outcome: 'skip',
      summary: expect.stringContaining(why),
      untested: [{ what: 'sqlite/one on d', why: expect.stringContaining(why) }],
    });
  });

  it('that finds nothing to test with is skipped and untested', async () => {
    const [result] = await run([refuses(new NotTestedError({ code: 'x', message: 'there is no engine' }))]);
    expect(result).toMatchObject({ outcome: 'skip', untested: [{ why: 'there is no engine' }] });
  });

  it.each([
    ['a lab that fails', refuses(new LabError({ code: 'x', message: 'it broke.', advice: 'Mend it.' })), 'it broke. Mend it.'],
    ['a bug', refuses(new TypeError('x is not a function')), 'x is not a function'],
    ['something thrown that is no error', refuses('plain text'), 'plain text'],
    ['a judgement that throws', check({ evaluate: () => JSON.parse('{') }), 'JSON'],
    ['a collect that throws at once', check({ collect: () => JSON.parse('{') }), 'JSON'],
  ])('with %s is an error, never a failure', async (_name, broken, why) => {
    const [result, other] = await run([broken, check({ id: 'sqlite/two' })]);
    expect(result).toMatchObject({ outcome: 'error', summary: expect.stringContaining(why), tested: [] });
    expect(other?.outcome).toBe('pass');
  });

  it('that hears no signal is given up when its time is over', async () => {
    const deaf = check({ timeoutMs: 30, collect: () => new Promise(() => undefined) });
    expect(await run([deaf])).toMatchObject([{ outcome: 'error', summary: expect.stringContaining('did not finish within') }]);
  });

  it('is told when its time is over', async () => {
    let heard = false;
    const listening = check({
      timeoutMs: 30,
      collect: (_target, context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => {
            heard = true;
            reject(new Error('given up'));
          });
        }),
    });
    await run([listening]);
    expect(heard).toBe(true);
  });
});

describe('a stage', () => {
  it('that is interrupted ends the run', async () => {
    const controller = new AbortController();
    const waiting = check({ collect: () => new Promise(() => undefined) });
    const running = run([waiting], { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toThrow(InterruptedError);
  });

  it('runs its own checks alone, each on the targets of its kind', async () => {
    const others = [check({ stage: 'image' }), check({ targetKind: 'volume' })];
    expect(await run(others)).toEqual([]);
  });

  it('runs no more at once than allowed', async () => {
    let now = 0;
    let most = 0;
    const counting = (id: string) =>
      check({
        id,
        collect: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setTimeout(resolve, 10));
          now--;
        },
      });
    await run(['sqlite/a', 'sqlite/b', 'sqlite/c', 'sqlite/d'].map(counting));
    expect(most).toBe(2);
  });

  it('knows depths and families', () => {
    expect(depthReaches('full', 'boot')).toBe(true);
    expect(depthReaches('static', 'recovery')).toBe(false);
    expect(isSelected('sqlite/wal', ['sqlite'])).toBe(true);
    expect(isSelected('sqlite2/wal', ['sqlite'])).toBe(false);
  });
});
