/** Makes the record of one verification, and the one document of a run, as the contract describes them. */
import { randomBytes } from 'node:crypto';
import type { FileDigest, RestorePoint, RunDocument, Verdict, VerificationRecord } from '../types.js';
import { plainJson } from './canonical.js';

export interface RecordInput
  extends Pick<
    VerificationRecord,
    'checks' | 'inspection' | 'artefacts' | 'policy' | 'drill' | 'environment' | 'isolation' | 'deviations' | 'stages' | 'cleanup'
  > {
  restorePoint: Pick<RestorePoint, 'id' | 'machine' | 'takenAt'>;
  files: FileDigest[];
  verdict: Verdict;
  startedAt: Date;
  finishedAt: Date;
  /** By a clock that is never set back; default: the difference of the two instants. */
  durationMs?: number;
  /** Default: a new one. */
  id?: string;
}

/** The result is plain JSON with a canonical form, whatever names a guest gave its files. */
export function buildRecord(input: RecordInput): VerificationRecord {
  const {
    restorePoint,
    files,
    verdict,
    startedAt,
    finishedAt,
    checks,
    inspection,
    policy,
    drill,
    artefacts,
    environment,
    isolation,
    deviations,
    stages,
    cleanup,
  } = input;
  const { id, machine, takenAt } = restorePoint;
  return plainJson({
    schema: 'snapproof.record/v1' as const,
    id: input.id ?? newRecordId(startedAt),
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    durationMs: Math.round(input.durationMs ?? Math.max(0, finishedAt.getTime() - startedAt.getTime())),
    restorePoint: { id, machine, takenAt, files },
    verdict: verdict.verdict,
    reasons: verdict.reasons,
    consistency: verdict.consistency,
    recovery: verdict.recovery,
    instances: verdict.instances,
    ways: verdict.ways,
    coverage: verdict.coverage,
    checks,
    inspection,
    policy,
    drill,
    artefacts,
    environment,
    isolation,
    deviations,
    stages,
    cleanup,
  });
}

/** `20261120T020304Z-9f86d081`: sorts by time, can be read aloud, and two at the same moment differ. */
export function newRecordId(at: Date): string {
  const moment = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '');
  return `${moment}-${randomBytes(4).toString('hex')}`;
}

export function buildRunDocument(records: VerificationRecord[]): RunDocument {
  const count = (word: VerificationRecord['verdict']): number => records.filter((record) => record.verdict === word).length;
  return {
    schema: 'snapproof.run/v1',
    summary: { passed: count('passed'), failed: count('failed'), inconclusive: count('inconclusive') },
    records,
  };
}
