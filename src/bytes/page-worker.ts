/** Entry of the threads of `runPagePass`: reads blocks into the verifier's buffer and lets it look at them. */
import { parentPort, workerData } from 'node:worker_threads';
import { BlockReader } from './block-reader.js';
import type { Batch, FromWorker, PageVerifier, ToWorker, VerifierModule } from './page-pool.js';

const port = parentPort;
const { verifier: verifierUrl, config } = workerData as { verifier: string; config: unknown };

async function verifyBatch(verifier: PageVerifier<unknown, unknown>, reader: BlockReader, batch: Batch): Promise<FromWorker> {
  const blockBytes = verifier.buffer.length;
  for (const part of batch.parts) {
    for (let offset = 0; offset < part.map.sizeBytes; offset += blockBytes) {
      const lengthBytes = Math.min(blockBytes, part.map.sizeBytes - offset);
      await reader.read(part.map, offset, verifier.buffer, lengthBytes);
      verifier.verify({ detail: part.detail, offset: part.offset + offset, lengthBytes, fileBytes: part.fileBytes });
    }
  }
  return { kind: 'done', result: verifier.takeResult(), bytes: batch.bytes };
}

async function main(): Promise<void> {
  const module = (await import(verifierUrl)) as VerifierModule<unknown, unknown, unknown>;
  const verifier = module.createVerifier(config);
  const reader = new BlockReader();
  const send = (message: FromWorker) => port?.postMessage(message);
  const failed = (error: unknown) => send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  port?.on('message', (message: ToWorker) => {
    verifyBatch(verifier, reader, message.batch).then(send, failed);
  });
  send({ kind: 'ready' });
}

await main();
