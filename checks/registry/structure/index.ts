/** Check `registry/structure`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notRegistry } from '../applies.js';
import { MAX_HIVE_BYTES } from '../effective.js';
import { isKnownVersion, type StaticEvidence, staticPass } from '../static-pass.js';

const ADVICE = 'Take this hive from an earlier restore point that passed. Windows may not start, or may not load the profile, with a hive in this state.';

export default defineStaticCheck<StaticEvidence>({
  id: 'registry/structure',
  title: 'Every key and value of the registry hive, as its logs leave it, is whole and in its place',
  failureTitle: 'The registry hive is damaged',
  description: 'Applies the logs of a registry hive in memory, as Windows does when it loads it, and walks all bins, cells, keys and values.',
  timeoutMs: 30 * 60_000,
  skipReason: notRegistry,
  collect: staticPass,
  evaluate: evaluateStructure,
});

export function evaluateStructure(evidence: StaticEvidence): Judgement {
  const { path, base, dirty, tree, missingBytes, sizeBytes } = evidence;
  const problems = new Problems();
  if (sizeBytes === null) problems.damaged('registry.unreadable', `${path} cannot be read.`, { file: path });
  else if (!base?.sumFits) problems.damaged('registry.base-block', `The base block of ${path} is damaged, and no log repairs it.`, { file: path, offset: 0 });
  if (missingBytes > 0) problems.damaged('registry.short', `${path} is cut off: ${missingBytes} bytes of its bins are missing.`, { file: path, missingBytes });
  return judgeProblems({
    reports: [problems.report(), evidence.problems],
    soundState: dirty ? 'recoverable' : 'clean',
    passSummary: tree ? `${count(tree.keys, 'key')} and ${count(tree.values, 'value')} of ${path} are whole.` : `${path} was not walked.`,
    advice: ADVICE,
    what: `Registry hive ${path}`,
    tested: tree
      ? [
          {
            what: `registry hive ${path}`,
            how: `walked ${count(tree.bins, 'bin')}, ${count(tree.cells, 'cell')}, ${count(tree.keys, 'key')} and ${count(tree.values, 'value')}${dirty ? ', with its logs applied' : ''}`,
          },
        ]
      : [],
    untested: untested(evidence),
  });
}

function untested({ path, base, tree }: StaticEvidence): UntestedItem[] {
  if (tree || !base) return [];
  const why = isKnownVersion(base) ? `it is larger than ${MAX_HIVE_BYTES} bytes` : `its format is of version ${base.major}.${base.minor}, which is not known`;
  return [{ what: `registry hive ${path}`, why, holdsData: true }];
}
