/** Check `berkeleydb/pages`: see README.md beside this file. */
import { judgeProblems, type ProblemReport, Problems } from '../../../src/bytes/problems.js';
import { MappedSource } from '../../../src/bytes/source.js';
import { type CheckContext, type CheckTarget, defineStaticCheck, otherThan } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { DatabaseInstance, Judgement, UntestedItem } from '../../../src/types.js';
import { findLogEnd, type LogEnd } from './log.js';
import { FileScan, type ScanFacts } from './scan.js';

/** Plain JSON. `readable` false: it is no file any more. */
export interface BerkeleyEvidence {
  volume: string;
  path: string;
  readable: boolean;
  logEnd: LogEnd | null;
  facts: ScanFacts | null;
  problems: ProblemReport;
}

const ADVICE =
  'Do not rely on this restore point for this file. Use an earlier restore point that passed; "db_verify FILE" shows the damage, and "db_dump -r FILE" saves what can be read.';

export default defineStaticCheck<BerkeleyEvidence>({
  id: 'berkeleydb/pages',
  title: 'Every page of the Berkeley DB file is in its place and well-formed',
  failureTitle: 'Pages of the Berkeley DB file are damaged, missing or in the wrong place',
  description:
    'Reads every page: its own number, type, layout, and its checksum where the file has them; compares the log positions in the pages with the end of the log; walks the trees of files that no log protects.',
  timeoutMs: 30 * 60_000,
  skipReason: notBerkeley,
  collect,
  evaluate: judge,
});

function notBerkeley(target: CheckTarget): string | null {
  return otherThan(target, ['berkeleydb'], 'Berkeley DB');
}

async function collect({ location }: DatabaseInstance, context: CheckContext<unknown>): Promise<BerkeleyEvidence> {
  const { volume, path } = location;
  const { files } = context.labs;
  const evidence: BerkeleyEvidence = { volume, path, readable: false, logEnd: null, facts: null, problems: { counts: {}, examples: [] } };
  const [map] = await files.map([location]);
  if (!map) return evidence;
  const logEnd = await findLogEnd(files, location, context.signal);
  const source = new MappedSource(map);
  const scan = new FileScan(source, path, logEnd);
  const progress = (doneBytes: number) => context.progress({ stage: 'static', what: `Berkeley DB ${path}`, doneBytes, totalBytes: map.sizeBytes });
  try {
    const facts = await scan.run(context.signal, progress);
    return { ...evidence, readable: true, logEnd, facts, problems: scan.problems.report() };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const problems = new Problems();
    problems.damaged('berkeleydb.meta', `${path} cannot be opened: ${error.message}.`, { file: path, page: 0 });
    return { ...evidence, readable: true, logEnd, problems: problems.report() };
  } finally {
    await source.close();
  }
}

function judge(evidence: BerkeleyEvidence): Judgement {
  const { path, facts, logEnd } = evidence;
  const logged = facts !== null && facts.highestLsn !== null;
  return judgeProblems({
    reports: [evidence.problems],
    soundState: logged ? 'recoverable' : 'clean',
    passSummary: passSummary(evidence),
    what: `Berkeley DB file ${path}`,
    advice: ADVICE,
    ...(facts
      ? {
          consistency: {
            level: logged ? ('crash' as const) : ('filesystem' as const),
            why: logged ? `${path} needs the log of its environment` : `${path} has no log`,
          },
        }
      : {}),
    recovery: { needed: logged && logEnd !== null, seconds: logged ? null : 0, bytes: 0 },
    tested: facts && !facts.meta.encrypted ? [{ what: `Berkeley DB file ${path}`, how: how(facts, logEnd) }] : [],
    untested: untested(evidence),
  });
}

function untested({ path, readable, facts, logEnd }: BerkeleyEvidence): UntestedItem[] {
  const what = `Berkeley DB file ${path}`;
  if (!readable) return [{ what, why: 'it could not be read as a file', holdsData: true }];
  if (!facts) return [];
  if (facts.meta.encrypted) return [{ what, why: 'its pages are encrypted', holdsData: true }];
  const items: UntestedItem[] = [];
  if (facts.highestLsn) {
    items.push({ what: `trees of ${path}`, why: 'they are complete only after its program has replayed the log', holdsData: true });
    if (!logEnd) items.push({ what: `log of ${path}`, why: 'its pages name places in a log, and no log lies beside it or above', holdsData: true });
  } else if (facts.reachedPages === null) {
    items.push({
      what: `how the pages of ${path} belong together`,
      why: `pages of the kind ${facts.meta.kind} are looked at one by one only`,
      holdsData: false,
    });
  }
  if (facts.zeroBuckets > 0) {
    const why = 'they hold nothing but zeroes: never used, or lost';
    items.push({ what: `${facts.zeroBuckets} buckets of the hash ${path}`, why, holdsData: true });
  }
  if (!facts.meta.checksums) items.push({ what: `bit rot inside the pages of ${path}`, why: 'the file was made without checksums', holdsData: false });
  return items;
}

function passSummary({ path, facts }: BerkeleyEvidence): string {
  if (!facts) return `${path} was not looked at.`;
  if (facts.meta.encrypted) return `${path} is encrypted and was not looked at.`;
  const walked = facts.reachedPages === null ? '' : `, and its trees reach ${facts.reachedPages} of them without a gap`;
  return `All ${facts.pages - facts.unusedPages} pages in use of ${path} are in place and well-formed${walked}.`;
}

function how({ meta, pages, unusedPages, reachedPages, highestLsn }: ScanFacts, logEnd: LogEnd | null): string {
  const sums = meta.checksums ? ', their checksums' : '';
  const walked = reachedPages === null ? '' : `; walked ${reachedPages} pages from the root`;
  const log =
    highestLsn && logEnd
      ? `; compared their log positions (up to ${highestLsn.file}/${highestLsn.offset}) with the end of the log (${logEnd.file}/${logEnd.offset})`
      : '';
  return `read ${pages} pages of ${meta.pageBytes} bytes (${meta.kind}, ${unusedPages} not in use): number, type and layout${sums}${walked}${log}`;
}
