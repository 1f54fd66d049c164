/** Evidence of a sound database that was running, for tests of the judgement. */
import type { LogFacts } from '../log-walk.js';
import { emptyPageFacts, type PageKind } from '../page-facts.js';
import type { StaticEvidence } from '../static-pass.js';

export interface EvidenceChanges {
  clean?: boolean;
  name?: string;
  version?: number;
  log?: Partial<LogFacts> | null;
  kinds?: Partial<Record<PageKind, number>>;
  files?: number[];
  changes?: Partial<StaticEvidence>;
}

export function evidence({
  clean = false,
  name = 'sales',
  version = 957,
  log = {},
  kinds = {},
  files = [],
  changes = {},
}: EvidenceChanges = {}): StaticEvidence {
  const pages = { ...emptyPageFacts(), pages: 128, used: 80, summed: 80, files };
  for (const [kind, count] of Object.entries(kinds) as [PageKind, number][]) {
    pages.kinds[kind] = { count, examples: [{ file: '/sales.mdf', page: 33, lsn: '41:20:1' }] };
  }
  const checkpoint = { vlf: 41, block: 16, slot: 1 };
  const end = { vlf: 41, block: 60, slot: 3 };
  const allocation = { damaged: [], damagedCount: 0, beyondEnd: null };
  return {
    path: '/sales.mdf',
    volume: 'disk0/p1',
    recognised: true,
    boot: { version, name, status: 0, checkpoint, sumFits: true },
    cleanlyShutDown: clean,
    dataFiles: [{ path: '/sales.mdf', volume: 'disk0/p1', fileId: 1, sizeBytes: 128 * 8192, headerIntact: true, allocation }],
    logFiles: log ? [{ path: '/sales_log.ldf', volume: 'disk0/p1', sizeBytes: 1 << 20 }] : [],
    unreadable: [],
    log: log ? { vlfs: 4, checkpoint: 'found', end, blocks: 5, bytes: 14336, beyond: null, problems: [], ...log } : null,
    pages,
    ...changes,
  };
}
