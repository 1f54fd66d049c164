/** Evidence of a healthy cluster, for tests of judgements: change what the test is about. */
import { type CatalogueFacts, emptyCatalogueFacts } from '../catalogue/facts.js';
import type { ControlFile } from '../format/control.js';
import type { LogFacts } from '../log/walk.js';
import { emptyPageFacts } from '../pages/facts.js';
import { emptyZeroedFacts, type ZeroedFacts } from '../pages/zeroed-facts.js';
import type { StaticEvidence } from '../static-pass.js';
import type { StatusFacts } from '../status/facts.js';
import { emptyStatusFacts } from '../status/pass.js';

export const HEALTHY_CONTROL: ControlFile = {
  ...{ systemId: '7', controlVersion: 1300, catalogVersion: 202209061, state: 'in production', writtenAt: 0 },
  ...{ checkpoint: 0x2000060, redo: 0x2000028, timeline: 1, fullPageWrites: true, checkpointTime: 0 },
  ...{ minRecoveryPoint: 0, minRecoveryTimeline: 0, backupStart: 0, backupEnd: 0, backupEndRequired: false },
  ...{ walLogHints: false, pageBytes: 8192, relationSegmentPages: 131072, walPageBytes: 8192, walSegmentBytes: 16777216, checksums: true },
  ...{ nextTransaction: 1000, oldestTransaction: 716, oldestActiveTransaction: 990, nextMultixact: 1, oldestMultixact: 1, nextMultixactOffset: 0 },
  ...{ oldestCommitTime: 0, newestCommitTime: 0, keepsCommitTimes: false },
};

export const HEALTHY_LOG: LogFacts = {
  ...{ redo: 0x2000028, end: 0x2100000, records: 1000, timeline: 1, stop: 'zeroes', beyond: null, beyondUnsearched: 0 },
  ...{ historyFrom: 0x1000000, historyRecords: 500, lastCheckpoint: 0x2000060, sawBackupEnd: false, blocks: 80, overflowed: false, contradictions: 0 },
};

export interface EvidenceChanges {
  control?: Partial<ControlFile>;
  head?: Partial<StaticEvidence['head']>;
  log?: Partial<LogFacts> | null;
  /** Number of pages by kind, and other counts. */
  kinds?: Partial<Record<'checksum' | 'header' | 'restored' | 'derived' | 'newer' | 'stale' | 'partial', number>>;
  relations?: Partial<NonNullable<StaticEvidence['relations']>>;
  catalogue?: Partial<CatalogueFacts>;
  status?: Partial<StatusFacts>;
  zeroed?: Partial<ZeroedFacts>;
}

export function clusterEvidence(changes: EvidenceChanges = {}): StaticEvidence {
  const pages = { ...emptyPageFacts(), pages: 909, loggedPages: 900, requiredPages: 300, maxLsn: 0x2080000 };
  for (const [kind, count] of Object.entries(changes.kinds ?? {})) {
    pages.kinds[kind as keyof typeof pages.kinds] = { count, examples: [{ file: 'base/5/16384', block: 3, lsn: 0x2200000, bytes: 100 }] };
  }
  return {
    head: {
      control: { kind: 'ok', control: { ...HEALTHY_CONTROL, ...changes.control } },
      ...{ backupLabel: null, backupLabelProblem: null, standby: false, archiveRecovery: false, tablespaceMap: false, fsyncOff: false },
      ...changes.head,
    },
    wal: {
      inventory: { counts: { files: 3, live: 3, recycled: 0, blank: 0, short: 0, otherCluster: 0 }, otherCluster: [], short: [] },
      log: changes.log === null ? null : { ...HEALTHY_LOG, ...changes.log },
    },
    relations: {
      ...{ files: 300, bytes: 7446528, exemptFiles: 0, derivedFiles: 200, shortSegments: { count: 0, examples: [] } },
      ...{ unreadable: { count: 0, examples: [] }, missingTablespaces: [], pages },
      ...changes.relations,
    },
    catalogue: { ...emptyCatalogueFacts(), databases: 3, relations: 900, ...changes.catalogue },
    status: { ...emptyStatusFacts(), pages: 1, commitsCompared: 200, ...changes.status },
    zeroed: { ...emptyZeroedFacts(), ...changes.zeroed },
  };
}
