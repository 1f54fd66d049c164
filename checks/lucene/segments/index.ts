/** Check `lucene/segments`: see README.md beside this file. */
import { judgeProblems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notLucene } from '../applies.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';

const ADVICE = 'Take this index from an earlier restore point that passed, or build it anew from the data it indexes.';

export default defineStaticCheck<StaticEvidence>({
  id: 'lucene/segments',
  title: 'Every file of the newest commit of the Lucene index is there and fits its checksum',
  failureTitle: 'Files of the Lucene index are missing or damaged',
  description: 'Reads every file that the newest commit of a Lucene index (also of Elasticsearch, OpenSearch and Solr) lists, and verifies its checksum.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notLucene,
  collect: staticPass,
  evaluate: evaluateSegments,
});

export function evaluateSegments(evidence: StaticEvidence): Judgement {
  const { folder, commit, segments, files, bytes, hasTranslog } = evidence;
  const why = `${folder} comes back as of its newest commit, ${commit ?? 'none'}`;
  return judgeProblems({
    reports: [evidence.problems],
    soundState: commit === null ? 'unknown' : 'clean',
    passSummary: `All ${count(files, 'file')} of ${count(segments, 'segment')} in ${folder} are there and fit their checksums.`,
    advice: ADVICE,
    what: `Lucene index ${folder}`,
    ...(hasTranslog ? {} : { consistency: { level: 'crash', why }, recovery: { needed: false, seconds: null, bytes: 0 } }),
    tested: [{ what: `Lucene index ${folder}`, how: `checksum of ${count(files, 'file')} (${bytes} bytes) of commit ${commit ?? 'none'}` }],
    untested: untested(evidence),
  });
}

function untested({ folder, commit, unknown, hasTranslog }: StaticEvidence): UntestedItem[] {
  const items = unknown.map(({ what, why }) => ({ what: `${what} of Lucene index ${folder}`, why, holdsData: true }));
  if (commit === null) items.push({ what: `Lucene index ${folder}`, why: 'its commit is no longer there', holdsData: true });
  if (hasTranslog)
    items.push({ what: `translog of ${folder}`, why: 'what Elasticsearch acknowledged after the commit is there, and it is not judged', holdsData: true });
  return items;
}
