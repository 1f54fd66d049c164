/** Evidence of a sound instance, to be changed by tests of the judgements. */
import type { Tally } from '../../../src/bytes/page-facts.js';
import { emptyPageFacts, type PageFacts, type PageKind } from '../page-facts.js';
import type { LogFacts } from '../redo/facts.js';
import type { LogState } from '../redo/read-log.js';
import type { SpaceFacts, StaticEvidence } from '../static-pass.js';

export interface EvidenceChanges {
  instance?: Partial<StaticEvidence['instance']>;
  log?: Partial<LogFacts> | LogState;
  spaces?: Partial<SpaceFacts>;
  pages?: Partial<PageFacts>;
  kinds?: Partial<Record<PageKind, number>>;
}

const LOG: LogFacts = {
  ...{ checkpoint: 5000, checkpointEnd: 5400, checkpointSeen: true, end: 6000, exactEnd: true, records: 9, beyond: null, historyFrom: 1000 },
  ...{ historyRecords: 70, pagesKnown: true, overflowed: false, contradictions: 0, cleanShutdown: false },
};

export function instanceEvidence(changes: EvidenceChanges = {}): StaticEvidence {
  const pages: PageFacts = {
    ...emptyPageFacts(),
    pages: 100,
    freePages: 20,
    doublewritePages: 10,
    loggedPages: 70,
    requiredPages: 40,
    maxLsn: 5900,
    ...changes.pages,
  };
  for (const [kind, count] of Object.entries(changes.kinds ?? {})) pages.kinds[kind as PageKind] = tally(count);
  const nothing = { count: 0, examples: [] };
  const log: LogState = changes.log && 'state' in changes.log ? changes.log : { state: 'ok', facts: { ...LOG, ...changes.log } };
  return {
    instance: { kind: 'directory', family: 'mariadb', version: '10.11.6', otherEngines: null, backupFolder: false, ...changes.instance },
    redo: { head: null, files: ['/ib_logfile0'], bytes: 8388608, log },
    spaces: {
      ...{
        files: 4,
        bytes: 1638400,
        systemFiles: 1,
        undoFiles: 0,
        doublewriteCopies: 0,
        droppedFiles: 0,
        unreadable: nothing,
        missingLinks: nothing,
        short: nothing,
      },
      ...{ missing: nothing, perhapsMissing: nothing, doubled: nothing, tooManyFiles: false, pages },
      ...changes.spaces,
    },
  };
}

function tally(count: number): Tally {
  return { count, examples: count > 0 ? [{ file: 'shop/orders.ibd', block: 7, lsn: 4711 }] : [] };
}
