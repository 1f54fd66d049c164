import { describe, expect, it } from 'vitest';
import { LabError } from '../../src/errors.js';
import { describeLabContract } from './contract.js';
import { memoryLabs } from './memory.js';

const signal = new AbortController().signal;

describeLabContract('memory', async () => ({
  open: async (opened: AbortSignal) => {
    opened.throwIfAborted();
    return memoryLabs({ tool: () => ({ stdout: 'answer' }) });
  },
  use: (labs) => labs.sandbox.run({ tool: 'cat', args: [], timeoutMs: 1000 }, signal),
  originals: [],
  workFolder: null,
  dispose: async () => undefined,
}));

describe('memory labs', () => {
  it('answer with what was prepared, and refuse what was not', async () => {
    const labs = memoryLabs({ tool: ({ tool }) => ({ stdout: tool, exitCode: 2 }), appliance: (command) => command.toUpperCase() });
    expect(await labs.sandbox.run({ tool: 'cat', args: [], timeoutMs: 1 }, signal)).toMatchObject({ stdout: 'cat', exitCode: 2, stderr: '' });
    expect(labs.requests).toHaveLength(1);
    expect(await (await labs.appliance()).call('list-devices')).toBe('LIST-DEVICES');
    const empty = memoryLabs();
    await expect(empty.sandbox.run({ tool: 'cat', args: [], timeoutMs: 1 }, signal)).rejects.toThrow(LabError);
    await expect(empty.exposure.captured('disk0')).rejects.toThrow(LabError);
    await expect(empty.scratchFolder()).rejects.toThrow(LabError);
  });
});
