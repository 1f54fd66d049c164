/** Entry of the threads of `runPagePass`: reads blocks into the verifier's buffer and lets it look at them. One pass after the other. */
import { parentPort } from 'node:worker_threads';
import { BlockReader } from './block-reader.js';
import type { Batch, FromWorker, PageVerifier, ToWorker, VerifierModule } from './page-pool.js';

interface Work {
  verifier: PageVerifier<unknown, unknown>;
  reader: BlockReader;
}

let work: Work | null = null;

async function answer(message: ToWorker): Promise<FromWorker> {
  if (message.kind === 'begin') {
    const module = (await import(message.verifier)) as VerifierModule<unknown, unknown, unknown>;
    work = { verifier: module.createVerifier(message.config), reader: new BlockReader() };
    return { kind: 'ready' };
  }
  if (message.kind === 'end') {
    await work?.reader.close();
    work = null;
    return { kind: 'ended' };
  }
  if (!work) throw new TypeError('a batch came before the pass began');
  return verifyBatch(work, message.batch);
}

async function verifyBatch({ verifier, reader }: Work, batch: Batch): Promise<FromWorker> {
  const blockBytes = verifier.buffer.length;
  for (const part of batch.parts) {
    for (let offset = 0; offset < part.map.sizeBytes; offset += blockBytes) {
      const lengthBytes = Math.min(blockBytes, part.map.sizeBytes - offset);
      const block = { detail: part.detail, offset: part.offset + offset, lengthBytes, fileBytes: part.fileBytes };
      if (verifier.skips?.(block)) continue;
      const waiting = reader.read(part.map, offset, verifier.buffer, lengthBytes);
      if (waiting) await waiting;
      verifier.verify(block);
    }
  }
  return { kind: 'done', result: verifier.takeResult(), bytes: batch.bytes };
}

/** One after the other: a batch may have to wait for its bytes, and the next has come already. */
let last: Promise<void> = Promise.resolve();
const send = (message: FromWorker) => parentPort?.postMessage(message);
const failed = (error: unknown) => send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
parentPort?.on('message', (message: ToWorker) => {
  last = last.then(() => answer(message).then(send, failed));
});
