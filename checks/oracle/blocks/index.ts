/** Check `oracle/blocks`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { notOracle } from '../applies.js';
import type { BlockFacts, Kind } from '../block-verifier.js';
import { judgedFiles, type StaticEvidence, staticPass } from '../static-pass.js';
import { DAMAGE_ADVICE, nameOf, soundState, unjudged } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'oracle/blocks',
  title: 'Every formatted block of the Oracle data files is intact and in its place',
  failureTitle: 'Blocks of the Oracle data files are damaged or in the wrong place',
  description: 'Verifies checksum, tail and address of every block of all data files of an Oracle database, and that no file is cut off.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notOracle,
  collect: staticPass,
  evaluate: evaluateBlocks,
});

const DAMAGE: Partial<Record<Kind, string>> = {
  sum: 'does not fit its own checksum',
  fractured: 'has a head and a tail of different changes',
  misplaced: 'is a whole block with the address of another place',
};

export function evaluateBlocks(evidence: StaticEvidence): Judgement {
  const { blocks } = evidence;
  const problems = new Problems();
  const files = judgedFiles(evidence);
  for (const { path, sumFits, sizeBytes, blockBytes, blocks: owned } of files) {
    if (!sumFits) problems.damaged('oracle.file-header', `The header block of ${path} does not fit its checksum.`, { file: path, block: 1 });
    else if (sizeBytes < (owned + 1) * blockBytes) {
      const message = `${path} is cut off: it has ${Math.floor(sizeBytes / blockBytes) - 1} of ${owned} blocks.`;
      problems.damaged('oracle.file.short', message, { file: path, sizeBytes });
    }
  }
  if (blocks) noteBlocks(problems, evidence, blocks);
  const used = blocks ? blocks.blocks - blocks.zeroes : 0;
  return judgeProblems({
    reports: [problems.report()],
    soundState: soundState(evidence),
    passSummary: `${used} formatted blocks of ${files.length} data files were judged, and none is damaged.`,
    advice: DAMAGE_ADVICE,
    what: nameOf(evidence),
    tested: blocks
      ? [{ what: `blocks of ${nameOf(evidence)}`, how: `checksum, tail and address of ${used} blocks; ${blocks.summed} carried a fitting checksum` }]
      : [],
    untested: [...unjudged(evidence), ...openQuestions(evidence, blocks)],
  });
}

/** While a tablespace is in backup mode its blocks may be torn: the redo holds them whole. */
function inBackup(evidence: StaticEvidence, path: string): boolean {
  return evidence.dataFiles.some((file) => file.path === path && file.hotBackup);
}

function noteBlocks(problems: Problems, evidence: StaticEvidence, { tallies }: BlockFacts): void {
  for (const [kind, what] of Object.entries(DAMAGE) as [Kind, string][]) {
    const { count, examples } = tallies[kind];
    for (const { file, block } of examples.slice(0, count)) {
      if (kind !== 'misplaced' && inBackup(evidence, file)) continue;
      problems.damaged(`oracle.block.${kind}`, `Block ${block} of ${file} ${what} (${count} such blocks).`, { file, block });
    }
  }
  for (const { file, block } of tallies.marked.examples) {
    const message = `Block ${block} of ${file} was marked as lost by Oracle itself, before it was captured.`;
    problems.add({ code: 'oracle.block.marked', severity: 'warning', state: null, message, where: { file, block } });
  }
}

function openQuestions(evidence: StaticEvidence, blocks: BlockFacts | null): UntestedItem[] {
  if (!blocks) return [];
  const items: UntestedItem[] = [];
  const torn = [...blocks.tallies.sum.examples, ...blocks.tallies.fractured.examples].filter(({ file }) => inBackup(evidence, file));
  const ask = (n: number, why: string, holdsData: boolean) => {
    if (n > 0) items.push({ what: `${n} blocks of ${evidence.path} and its other data files`, why, holdsData });
  };
  ask(torn.length, 'they are torn, and their file is in backup mode: the redo should hold them whole', true);
  ask(blocks.tallies.format.count, 'they do not begin as blocks do: of a kind that is not known, or damaged', true);
  ask(blocks.unprotected, 'they carry no checksum, so bit rot inside them cannot be seen', false);
  return items;
}
