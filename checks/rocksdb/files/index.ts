/** Check `rocksdb/files`: see README.md beside this file. */
import { judgeProblems, type ProblemReport } from '../../../src/bytes/problems.js';
import { type CheckContext, type CheckTarget, defineStaticCheck, otherThan } from '../../../src/check.js';
import type { DatabaseInstance, Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { type ScanFacts, StoreScan } from './scan.js';

/** Plain JSON. */
export interface RocksEvidence {
  folder: string;
  facts: ScanFacts;
  problems: ProblemReport;
}

export default defineStaticCheck<RocksEvidence>({
  id: 'rocksdb/files',
  title: 'Every file that the RocksDB or LevelDB store needs is there, and every block carries the checksum of its own bytes',
  failureTitle: 'Files of the RocksDB or LevelDB store are missing, damaged or of different instants',
  description:
    'Reads CURRENT and the MANIFEST, compares the live table files with what is there, verifies the checksum of every block in them, and follows the logs to their true end, looking for records behind it.',
  timeoutMs: 60 * 60_000,
  skipReason: notRocks,
  collect,
  evaluate: judge,
});

function notRocks(target: CheckTarget): string | null {
  return otherThan(target, ['rocksdb'], 'RocksDB or LevelDB');
}

async function collect({ location }: DatabaseInstance, context: CheckContext<unknown>): Promise<RocksEvidence> {
  const scan = new StoreScan(location, context);
  await scan.run();
  return { folder: location.path, facts: scan.facts, problems: scan.problems.report() };
}

function judge({ folder, facts, problems }: RocksEvidence): Judgement {
  const replay = facts.logRecords > 0;
  return judgeProblems({
    reports: [problems],
    soundState: replay ? 'recoverable' : 'clean',
    passSummary: `All ${count(facts.tables, 'table file')} of the store in ${folder} are there, and what was read of them is intact (${count(facts.blocks, 'block')}); its logs hold ${count(facts.logRecords, 'record')}.`,
    what: `RocksDB or LevelDB store in ${folder}`,
    advice:
      'Do not rely on this restore point for this store. Use an earlier restore point that passed. "ldb repair" makes a store that opens, without what is lost.',
    consistency: { level: replay ? 'crash' : 'filesystem', why: `the store in ${folder} ${replay ? 'needs its log' : 'has no log to replay'}` },
    recovery: { needed: replay, seconds: replay ? null : 0, bytes: replay ? facts.logBytes : 0 },
    tested: [
      {
        what: `RocksDB or LevelDB store in ${folder}`,
        how: `read ${facts.manifest ?? 'no MANIFEST'} (${count(facts.edits, 'record')}), verified the checksums of ${count(facts.blocks, 'block')} in ${count(facts.tables, 'table file')} (${facts.tableBytes} bytes) and of ${count(facts.logRecords, 'record')} in ${count(facts.logs, 'log')}`,
      },
    ],
    untested: facts.untested.map((item) => ({ ...item, holdsData: true })),
  });
}
