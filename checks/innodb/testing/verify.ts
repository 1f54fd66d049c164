/** All static checks over one captured folder, as the runner would do it. */
import type { Judgement } from '../../../src/types.js';
import { type FolderGuest, openFolders } from '../../testing/folder-guest.js';
import { innodbFinder } from '../find.js';
import { evaluateReconciliation, instanceState } from '../log-versus-pages/index.js';
import { evaluatePages } from '../page-checksums/index.js';
import { evaluateLog } from '../redo-log/index.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';

export interface Verification {
  evidence: StaticEvidence;
  judgements: Record<'log' | 'pages' | 'reconciliation', Judgement>;
  state: string;
  /** Checks that failed. */
  failed: string[];
  codes: string[];
}

export async function verifyFolder(folder: string, others: Record<string, string> = {}): Promise<Verification> {
  return verify(await openFolders({ v: folder, ...others }, innodbFinder));
}

/** The first instance that was found. */
export async function verify({ instances, context }: FolderGuest): Promise<Verification> {
  const [instance] = instances;
  if (!instance) throw new Error('no instance was found');
  const collected = await staticPass(instance, context);
  const evidence = JSON.parse(JSON.stringify(collected)) as StaticEvidence; // as it comes back from the ledger
  const judgements = { log: evaluateLog(evidence), pages: evaluatePages(evidence), reconciliation: evaluateReconciliation(evidence) };
  const failed = Object.entries(judgements).filter(([, judgement]) => judgement.outcome === 'fail');
  const codes = Object.values(judgements).flatMap((judgement) => judgement.findings.map((item) => item.code));
  return { evidence, judgements, state: instanceState(evidence).word, failed: failed.map(([name]) => name), codes };
}
