/** All static checks over one captured folder, as the runner would do it. */
import type { Judgement } from '../../../src/types.js';
import { evaluateCatalogue } from '../catalogue/index.js';
import { evaluateHead } from '../control-file/index.js';
import { evaluateReconciliation } from '../log-versus-pages/index.js';
import { instanceState } from '../log-versus-pages/instance-state.js';
import { evaluatePages } from '../page-checksums/index.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { evaluateStatus } from '../transaction-status/index.js';
import { evaluateLog } from '../wal-chain/index.js';
import { evaluateZeroed } from '../zeroed-pages/index.js';
import { type ClusterContext, clusterAt } from './cluster-at.js';

export interface Verification {
  evidence: StaticEvidence;
  judgements: Record<'control' | 'log' | 'pages' | 'reconciliation' | 'catalogue' | 'status' | 'zeroed', Judgement>;
  state: string;
  /** Checks that failed. */
  failed: string[];
  codes: string[];
}

export function verifyFolder(folder: string): Promise<Verification> {
  return verify(clusterAt(folder));
}

export async function verify({ instance, context }: ClusterContext): Promise<Verification> {
  const collected = await staticPass(instance, context);
  const evidence = JSON.parse(JSON.stringify(collected)) as StaticEvidence; // as it comes back from the ledger
  const judgements = {
    control: evaluateHead(evidence.head),
    log: evaluateLog(evidence),
    pages: evaluatePages(evidence),
    reconciliation: evaluateReconciliation(evidence),
    catalogue: evaluateCatalogue(evidence),
    status: evaluateStatus(evidence),
    zeroed: evaluateZeroed(evidence),
  };
  const failed = Object.entries(judgements).filter(([, judgement]) => judgement.outcome === 'fail');
  const codes = Object.values(judgements).flatMap((judgement) => judgement.findings.map((item) => item.code));
  return { evidence, judgements, state: instanceState(evidence).state, failed: failed.map(([name]) => name), codes };
}
