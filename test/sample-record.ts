/** A small, whole record for tests that do not care what it says. */
import { buildRecord, type RecordInput } from '../src/ledger/record.js';
import type { VerificationRecord } from '../src/types.js';

export function sampleRecord(id: string, changes: Partial<RecordInput> = {}): VerificationRecord {
  return buildRecord({
    id,
    startedAt: new Date('2026-11-20T02:00:00Z'),
    finishedAt: new Date('2026-11-20T02:00:42Z'),
    restorePoint: { id: 'db1-2026-11-20', machine: 'db1', takenAt: '2026-11-20T01:30:00Z' },
    files: [{ role: 'disk', path: 'root.qcow2', format: 'qcow2', sizeBytes: 1_048_576, sha256: 'a'.repeat(64) }],
    verdict: {
      verdict: 'passed',
      reasons: ['All 1 required checks passed.'],
      consistency: { declared: 'unknown', observed: 'crash', why: ['ext4 on disk0/p1 has a log to replay'] },
      recovery: { needed: true, seconds: 1.5, bytes: 4096 },
      instances: [],
      ways: [],
      coverage: { tested: [{ what: 'file system on disk0/p1', how: 'replayed and checked' }], untested: [] },
    },
    checks: [],
    inspection: null,
    policy: { depth: 'recovery', sha256: 'c'.repeat(64) },
    drill: null,
    artefacts: [],
    environment: { snapproof: '0.1.0', accelerator: 'tcg' },
    isolation: { network: 'none' },
    deviations: [],
    stages: [{ name: 'checks', durationMs: 40_000 }],
    cleanup: { complete: true, left: [] },
    ...changes,
  });
}
