/** Hidden verb: one restore point of a drill, verified in this process. Asked and answered over the channel to the drill, never by a person. */
import type { ItemReply, ItemRequest } from '../drill/child.js';
import { EXIT, type ExitCode, InterruptedError, SnapproofError, UsageError } from '../errors.js';
import { installSignalHandlers } from '../process/signals.js';
import { verifyRestorePoint } from '../run.js';
import type { Library } from './verify.js';

/** @throws UsageError when nobody asked over a channel. */
export async function drillItemCommand(library: Library): Promise<ExitCode> {
  if (!process.send) throw new UsageError({ code: 'usage.internal', message: 'This verb is used by "snapproof run" itself.' });
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  // The drill is gone, killed perhaps: what was begun is ended in order, and its result is nobody's.
  process.once('disconnect', () => abort.abort(new InterruptedError({ code: 'interrupted', message: 'The drill ended.' })));
  try {
    await tell(await answer(await asked(), library, abort.signal));
    return EXIT.passed;
  } finally {
    uninstall();
    process.removeAllListeners('disconnect');
    if (process.connected) process.disconnect();
  }
}

function asked(): Promise<ItemRequest> {
  return new Promise((done, fail) => {
    process.once('message', (message) => done(message as ItemRequest));
    process.once('disconnect', () => fail(new InterruptedError({ code: 'interrupted', message: 'The drill ended.' })));
  });
}

async function answer(request: ItemRequest, library: Library, signal: AbortSignal): Promise<ItemReply> {
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    void tell({ kind: 'stage', name });
    return work();
  };
  try {
    const record = await verifyRestorePoint({ ...request, ...library, signal, observer: { sink: () => undefined, stage } });
    return { kind: 'record', record };
  } catch (error) {
    if (!(error instanceof SnapproofError)) throw error;
    return { kind: 'error', error: { name: error.name, code: error.code, message: error.message, advice: error.advice } };
  }
}

/** Resolves when it was handed over; with the drill gone there is nobody to tell. */
function tell(reply: ItemReply): Promise<void> {
  return new Promise((done) => {
    if (process.connected && process.send) process.send(reply, undefined, {}, () => done());
    else done();
  });
}
