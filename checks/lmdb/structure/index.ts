/** Check `lmdb/structure`: see README.md beside this file. */
import { judgeProblems, type ProblemReport, Problems } from '../../../src/bytes/problems.js';
import { MappedSource } from '../../../src/bytes/source.js';
import { type CheckContext, type CheckTarget, defineStaticCheck, otherThan } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource, DatabaseInstance, Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { lmdbWidth, META_BYTES, type Meta, parseMeta } from '../format/meta.js';
import { StoreWalk, type WalkFacts } from './walk.js';

/** Plain JSON. `open` says why it could not be looked at; null when it was. */
export interface LmdbEvidence {
  volume: string;
  path: string;
  sizeBytes: number;
  pageBytes: number;
  transaction: number;
  walk: WalkFacts | null;
  problems: ProblemReport;
  open: string | null;
}

const ADVICE =
  'Do not rely on this restore point for this store. Use an earlier restore point that passed; for OpenLDAP, load the last export (slapcat) with slapadd.';
const META_PAGE_LIMIT = 65536;

export default defineStaticCheck<LmdbEvidence>({
  id: 'lmdb/structure',
  title: 'Every page that the newest transaction of the LMDB store reaches is in place and well-formed',
  failureTitle: 'Pages of the LMDB store (OpenLDAP and others) are damaged, missing or of another instant',
  description:
    'Walks all trees, long values and the list of free pages from the newest meta page, and compares what is found with what every tree says of itself. LMDB pages carry no checksum, so bytes inside values are not proven.',
  timeoutMs: 30 * 60_000,
  skipReason: notLmdb,
  collect,
  evaluate: judge,
});

function notLmdb(target: CheckTarget): string | null {
  return otherThan(target, ['lmdb'], 'LMDB');
}

async function collect({ location }: DatabaseInstance, context: CheckContext<unknown>): Promise<LmdbEvidence> {
  const { volume, path } = location;
  const none = { counts: {}, examples: [] };
  const evidence: LmdbEvidence = { volume, path, sizeBytes: 0, pageBytes: 0, transaction: 0, walk: null, problems: none, open: null };
  const [map] = await context.labs.files.map([location]);
  if (!map) return { ...evidence, open: 'it could not be read as a file' };
  const source = new MappedSource(map);
  return scan(source, { ...evidence, sizeBytes: map.sizeBytes }, context).finally(() => source.close());
}

async function scan(source: ByteSource, evidence: LmdbEvidence, context: Pick<CheckContext<unknown>, 'signal' | 'progress'>): Promise<LmdbEvidence> {
  const width = lmdbWidth(await source.read(0, Math.min(24, source.sizeBytes)));
  if (width !== null && width !== '64-bit') return { ...evidence, open: `it was written by a ${width} machine, whose layout is not known here` };
  const { path } = evidence;
  const problems = new Problems();
  try {
    const meta = await newestMeta(source);
    const walk = new StoreWalk(source, meta, path);
    const totalBytes = meta.lastPage * meta.pageBytes;
    const progress = (pages: number) =>
      context.progress({ stage: 'static', what: `LMDB ${path}`, doneBytes: Math.min(totalBytes, pages * meta.pageBytes), totalBytes });
    const facts = await walk.run(context.signal, progress);
    return { ...evidence, pageBytes: meta.pageBytes, transaction: meta.transaction, walk: facts, problems: walk.problems.report() };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.damaged('lmdb.meta', `${path} cannot be opened: ${error.message}.`, { file: path, page: 0 });
    return { ...evidence, problems: problems.report() };
  }
}

/** LMDB refuses a store when either meta page is damaged, and uses the one with the higher transaction id. */
async function newestMeta(source: ByteSource): Promise<Meta> {
  if (source.sizeBytes < META_BYTES) throw new FormatError({ code: 'lmdb.meta', message: `it has only ${source.sizeBytes} bytes` });
  const first = parseMeta(await source.read(0, META_BYTES), 0);
  if (first.pageBytes > META_PAGE_LIMIT || first.pageBytes + META_BYTES > source.sizeBytes)
    throw new FormatError({ code: 'lmdb.meta', message: 'the second meta page is missing' });
  const second = parseMeta(await source.read(first.pageBytes, META_BYTES), 1);
  if (second.pageBytes !== first.pageBytes) throw new FormatError({ code: 'lmdb.meta', message: 'its meta pages state different page sizes' });
  return second.transaction > first.transaction ? second : first;
}

function judge(evidence: LmdbEvidence): Judgement {
  const { path, walk, open } = evidence;
  const untested: UntestedItem[] = open === null ? [] : [{ what: `LMDB store ${path}`, why: open, holdsData: true }];
  if (walk) untested.push({ what: `bit rot inside the values of ${path}`, why: 'LMDB pages carry no checksum', holdsData: false });
  if (walk && walk.unorderedTrees > 0)
    untested.push({
      what: `order of keys in ${count(walk.unorderedTrees, 'tree')} of ${path}`,
      why: 'the program orders them by a rule of its own',
      holdsData: false,
    });
  return judgeProblems({
    reports: [evidence.problems],
    soundState: 'clean',
    passSummary: walk ? passSummary(evidence, walk) : `${path} was not looked at.`,
    what: `LMDB store ${path}`,
    advice: ADVICE,
    ...(walk ? { consistency: { level: 'filesystem' as const, why: `${path} is complete as of its transaction ${evidence.transaction}` } } : {}),
    recovery: { needed: false, seconds: 0, bytes: 0 },
    tested: walk ? [{ what: `LMDB store ${path}`, how: how(evidence, walk) }] : [],
    untested,
  });
}

function passSummary({ path, transaction }: LmdbEvidence, { reachedPages, entries }: WalkFacts): string {
  return `All ${reachedPages} pages that transaction ${transaction} of ${path} reaches are in place and well-formed (${count(entries, 'entry', 'entries')}).`;
}

function how({ pageBytes }: LmdbEvidence, walk: WalkFacts): string {
  const lost = walk.lostPages > 0 ? `, ${walk.lostPages} neither used nor free` : '';
  return `walked ${count(walk.trees, 'tree')} over ${count(walk.reachedPages, 'page')} of ${pageBytes} bytes, compared their counts, and ${count(walk.freePages, 'free page')}${lost}`;
}
