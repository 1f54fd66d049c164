import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { describeBytes } from '../../src/reporters/narrator.js';
import { openProgress } from '../../src/reporters/progress.js';

const STAGES = [
  { name: 'read', title: 'Read headers' },
  { name: 'check', title: 'Run checks' },
  { name: 'clean', title: 'Clean up' },
];

function fakeStream(isTTY: boolean): { stream: NodeJS.WriteStream; text(): string } {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  stream.on('data', (data: Buffer) => {
    text += data;
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('bytes of a progress', () => {
  const at = (doneBytes: number, totalBytes: number | null, elapsedMs: number): string =>
    describeBytes({ stage: 's', what: 'w', doneBytes, totalBytes }, elapsedMs);
  it('say how far and how fast', () => {
    expect(at(312e6, 628e6, 761)).toBe('312 of 628 MB, 410 MB/s');
    expect(at(312e6, null, 1000)).toBe('312 MB, 312 MB/s');
    expect(at(312e6, 628e6, 50)).toBe('312 of 628 MB');
    expect(at(0, null, 1000)).toBe('');
    expect(at(0, 628e6, 1000)).toBe('0 of 628 MB');
  });
});

describe('without a terminal', () => {
  it('one line says of each stage how it ended, and results and errors pass through', async () => {
    const { stream, text } = fakeStream(false);
    let clock = 0;
    const progress = openProgress(STAGES, stream, () => clock);
    const value = await progress.stage('read', async () => {
      clock += 1200;
      progress.sink({ stage: 'read', what: 'x', doneBytes: 1, totalBytes: 2 });
      return 42;
    });
    const failure = progress.stage('check', () => Promise.reject(new Error('no disk')));
    await expect(failure).rejects.toThrow('no disk');
    await progress.finish();
    expect(value).toBe(42);
    expect(text()).toBe('Read headers: done in 1.2 s\nRun checks: stopped after under 0.1 s\n');
  });
});

describe('on a terminal', () => {
  it('shows what happens, harmless, and what was not reached; errors pass through', async () => {
    const { stream, text } = fakeStream(true);
    const before = process.listenerCount('SIGINT');
    const progress = openProgress(STAGES, stream);
    expect(process.listenerCount('SIGINT')).toBe(before);
    expect(await progress.stage('read', () => pause(120).then(() => 'value'))).toBe('value');
    const failure = progress.stage('check', async () => {
      for (let done = 1; done <= 3; done++) {
        await pause(250);
        progress.sink({ stage: 'check', what: 'evil\u001b[2Jname', doneBytes: done * 100e6, totalBytes: 300e6 });
      }
      await pause(250);
      throw new Error('no disk');
    });
    await expect(failure).rejects.toThrow('no disk');
    await progress.finish();
    await progress.finish();
    expect(text()).toContain('evil\\x1b[2Jname: 200 of 300 MB');
    expect(text()).not.toContain('evil\u001b[2J');
    expect(text()).toMatch(/Read headers \(0\.\d s\)/);
    expect(text()).toContain('Run checks: stopped after');
    expect(text()).toContain('Clean up: not reached');
  });
  it('a stage that ends before its turn, and one nobody listed, disturb nothing', async () => {
    const { stream, text } = fakeStream(true);
    const progress = openProgress(STAGES, stream);
    const work = [progress.stage('check', async () => 1), progress.stage('other', async () => 2), progress.stage('read', () => pause(50).then(() => 3))];
    expect(await Promise.all(work)).toEqual([1, 2, 3]);
    await progress.finish();
    expect(text()).toContain('Run checks (under 0.1 s)');
  });
});
