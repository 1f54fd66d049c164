/** Verifies the time stamps that a chain holds: that each is about an entry of it, and with certificates, that the authority says so. */
import type { TimestampDocument } from '../documents.js';
import type { Ledger } from '../ledger/index.js';
import { objectionToTimestamp } from './timestamp.js';

export interface TimestampReport {
  count: number;
  /** Tokens that were verified with certificates. */
  verified: number;
  /** The last entry that a time stamp is about; null: none. */
  lastSeq: number | null;
  problems: string[];
}

/** @param caFile certificates of authorities (PEM); null: tokens are not verified */
export async function checkLedgerTimestamps(ledger: Ledger, caFile: string | null): Promise<TimestampReport> {
  const report: TimestampReport = { count: 0, verified: 0, lastSeq: null, problems: [] };
  for (const { entry, document } of ledger.documents({ kind: 'timestamp' }).reverse()) {
    report.count++;
    const why = await objection(ledger, document, caFile);
    if (why !== null) report.problems.push(`The time stamp of entry ${entry.seq} does not count: ${why}.`);
    else {
      report.verified += caFile === null ? 0 : 1;
      report.lastSeq = Math.max(report.lastSeq ?? 0, document.headSeq);
    }
  }
  return report;
}

async function objection(ledger: Ledger, document: TimestampDocument, caFile: string | null): Promise<string | null> {
  if (ledger.text(document.headSeq)?.entry.entryHash !== document.headHash) return 'it is about a head that the chain does not have';
  return caFile === null ? null : objectionToTimestamp(document, caFile);
}
