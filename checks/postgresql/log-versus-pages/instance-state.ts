/** The word for a cluster, from all that the static pass saw. The words: InstanceState in src/types.ts. */
import type { InstanceState } from '../../../src/types.js';
import { evaluateCatalogue } from '../catalogue/index.js';
import { evaluateHead } from '../control-file/index.js';
import { evaluatePages } from '../page-checksums/index.js';
import { brokenLogState, isEndLost, wasShutDown } from '../state.js';
import type { StaticEvidence } from '../static-pass.js';
import { evaluateStatus } from '../transaction-status/index.js';
import { evaluateLog } from '../wal-chain/index.js';
import { evaluateZeroed } from '../zeroed-pages/index.js';

export interface StateAndWhy {
  state: InstanceState;
  /** A sentence that goes on from "This cluster is damaged: ". */
  why: string;
}

export function instanceState(evidence: StaticEvidence): StateAndWhy {
  const { head, wal, relations } = evidence;
  if (head.control.kind !== 'ok') return { state: head.control.kind, why: `${head.control.why}.` };
  const start = evaluateHead(head);
  if (start.outcome === 'fail') return { state: 'damaged', why: start.summary };
  if (!relations || !wal?.log) return { state: 'damaged', why: 'its log is not in the restore point.' };
  const { kinds } = relations.pages;
  if (kinds.stale.count > 0) return { state: 'non-atomic', why: 'data files are older than the log.' };
  if (kinds.newer.count > 0 && !isEndLost(head, head.control.control, wal.log)) return { state: 'non-atomic', why: 'data files are newer than the log.' };
  if (wal.log.overflowed) return { state: 'unknown', why: 'the log names more blocks than can be held in memory.' };
  const pages = evaluatePages(evidence);
  if (pages.outcome === 'fail') return { state: 'damaged', why: pages.summary };
  for (const { outcome, summary } of [evaluateZeroed(evidence), evaluateCatalogue(evidence), evaluateStatus(evidence)]) {
    if (outcome === 'fail') return { state: 'damaged', why: summary };
  }
  const chain = evaluateLog(evidence);
  if (chain.outcome === 'fail') return { state: brokenLogState(wal.log, kinds.newer.count), why: chain.summary };
  if (wasShutDown(head, head.control.control)) return { state: 'clean', why: 'it was shut down, and nothing is to be replayed.' };
  return { state: 'recoverable', why: `the log covers everything, ${wal.log.end - wal.log.redo} bytes are to be replayed.` };
}
