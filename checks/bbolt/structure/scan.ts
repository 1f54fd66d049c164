/** One bbolt store: its meta pages, then all that the newest reaches. Shared by the checks of this family. */
import { type ProblemReport, Problems } from '../../../src/bytes/problems.js';
import { MappedSource } from '../../../src/bytes/source.js';
import type { CheckContext } from '../../../src/check.js';
import type { ByteSource, GuestLocation } from '../../../src/types.js';
import { readMetas } from '../format/meta.js';
import { StoreWalk, type WalkFacts } from './walk.js';

/** Plain JSON. `readable` false: it is no file any more. */
export interface StoreEvidence {
  volume: string;
  path: string;
  readable: boolean;
  sizeBytes: number;
  pageBytes: number;
  transaction: number;
  walk: WalkFacts | null;
  problems: ProblemReport;
}

export function scanStore(location: GuestLocation, context: CheckContext<unknown>): Promise<StoreEvidence> {
  return context.once(`bbolt ${location.volume}:${location.path}`, () => scan(location, context));
}

async function scan(location: GuestLocation, context: CheckContext<unknown>): Promise<StoreEvidence> {
  const { volume, path } = location;
  const [map] = await context.labs.files.map([location]);
  const evidence: StoreEvidence = {
    volume,
    path,
    readable: map != null,
    sizeBytes: map?.sizeBytes ?? 0,
    pageBytes: 0,
    transaction: 0,
    walk: null,
    problems: { counts: {}, examples: [] },
  };
  if (!map) return evidence;
  const source = new MappedSource(map);
  return walk(source, evidence, context).finally(() => source.close());
}

async function walk(source: ByteSource, evidence: StoreEvidence, context: CheckContext<unknown>): Promise<StoreEvidence> {
  const { path } = evidence;
  const metas = await readMetas(source);
  const [newest] = metas.flatMap((meta) => meta ?? []).sort((a, b) => b.transaction - a.transaction);
  const problems = new Problems();
  if (!newest) {
    problems.damaged('bbolt.meta', `${path} cannot be opened: neither of its meta pages is intact.`, { file: path, page: 0 });
    return { ...evidence, problems: problems.report() };
  }
  const store = new StoreWalk(source, newest, path);
  const lost = metas.indexOf(null);
  if (lost >= 0) {
    const message = `Meta page ${lost} of ${path} is damaged; the other one is used. If it was the newer one, the last transaction is lost.`;
    store.problems.add({ code: 'bbolt.meta', severity: 'warning', message, where: { file: path, page: lost }, state: 'lost-tail' });
  }
  const totalBytes = newest.highWater * newest.pageBytes;
  const progress = (pages: number) =>
    context.progress({ stage: 'static', what: `bbolt ${path}`, doneBytes: Math.min(totalBytes, pages * newest.pageBytes), totalBytes });
  const facts = await store.run(context.signal, progress);
  return { ...evidence, pageBytes: newest.pageBytes, transaction: newest.transaction, walk: facts, problems: store.problems.report() };
}
