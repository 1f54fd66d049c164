import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXIT, InterruptedError } from '../../src/errors.js';
import { installSignalHandlers } from '../../src/process/signals.js';

let remove = () => {};
afterEach(() => {
  remove();
  vi.restoreAllMocks();
});

describe('installSignalHandlers', () => {
  it('aborts at the first signal and ends the process at the second', () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);
    const controller = new AbortController();
    remove = installSignalHandlers(controller);
    process.emit('SIGTERM', 'SIGTERM');
    expect(controller.signal.reason).toBeInstanceOf(InterruptedError);
    expect(controller.signal.reason.exitCode).toBe(130);
    expect(exit).not.toHaveBeenCalled();
    process.emit('SIGINT', 'SIGINT');
    expect(exit).toHaveBeenCalledWith(EXIT.interrupted);
  });

  it('takes its handlers away', () => {
    const before = process.listenerCount('SIGHUP');
    installSignalHandlers(new AbortController())();
    expect(process.listenerCount('SIGHUP')).toBe(before);
  });
});
