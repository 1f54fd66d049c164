/** Evidence of a sound database, for tests of the pure judgements. */
import { emptyPageFacts } from '../page-facts.js';
import type { PlainHeader, StaticEvidence } from '../static-pass.js';

export const header: PlainHeader = {
  ...{ version: 0x620, revision: 0x14, fileType: 1, pageBytes: 4096, state: 3, dbtime: '500', signature: 'aa', logSignature: 'bb' },
  ...{ consistentAt: { generation: 5, sector: 1, byte: 0 }, minRequired: 0, maxRequired: 0, maxCommitted: 0 },
  ...{ maxRequiredCreated: null, maxCommittedCreated: null },
};

export function evidence(changes: Partial<StaticEvidence> = {}): StaticEvidence {
  const pages = { ...emptyPageFacts(), pages: 48, zeroes: 18, sound: 30, maxDbtime: '500' };
  const files = { path: '/ntds.dit', volume: 'v', sizeBytes: 204800, logs: [], unreadable: [], checkpoint: null };
  return { ...files, header, fromCopy: false, tree: { trees: 8, pages: 30, whole: true }, treeProblems: { counts: {}, examples: [] }, pages, ...changes };
}
