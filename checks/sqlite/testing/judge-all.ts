/** Runs both static checks over a database file of the host. */
import { basename, dirname } from 'node:path';
import type { CaptureState, Judgement } from '../../../src/types.js';
import { contextOver } from '../../testing/folder-guest.js';
import structure from '../page-structure/index.js';
import type { StaticEvidence } from '../static-pass.js';
import wal from '../wal/index.js';
import { targetAt } from './instance.js';

export interface StaticJudgement {
  evidence: StaticEvidence;
  structure: Judgement;
  wal: Judgement;
  /** Codes of all findings, without repetition. */
  codes: string[];
  failed: boolean;
}

export async function judgeStatic(path: string, captureState: CaptureState['state'] = 'needs-replay'): Promise<StaticJudgement> {
  const context = contextOver(dirname(path), { options: {}, captureState });
  const evidence = await structure.collect(targetAt(`/${basename(path)}`), context);
  // Saved evidence must be judged the same.
  const saved = JSON.parse(JSON.stringify(evidence)) as StaticEvidence;
  const judged = { structure: structure.evaluate(saved, {}), wal: wal.evaluate(saved, wal.defaultOptions) };
  const codes = [...new Set([...judged.structure.findings, ...judged.wal.findings].map(({ code }) => code))];
  return { evidence, ...judged, codes, failed: judged.structure.outcome === 'fail' || judged.wal.outcome === 'fail' };
}
