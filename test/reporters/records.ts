/** A passed, a failed and an inconclusive record, as real runs give them, made by the same fold. */
import { buildRecord } from '../../src/ledger/record.js';
import { foldVerdict } from '../../src/runner/verdict.js';
import type { CheckResult, FileDigest, Inspection, UntestedItem, VerificationRecord } from '../../src/types.js';
import { inspection, result, volume } from '../runner/arbitrary.js';

const CLUSTER = 'postgresql disk1/p1:/pgdata';
const FILES: FileDigest[] = [
  { role: 'disk', path: 'root.qcow2', format: 'qcow2', sizeBytes: 1_830_000_000, sha256: 'a'.repeat(64) },
  { role: 'disk', path: 'data.qcow2', format: 'qcow2', sizeBytes: 812_000_000, sha256: 'b'.repeat(64) },
  { role: 'config', path: 'restore-point.json', format: 'json', sizeBytes: 731, sha256: 'c'.repeat(64) },
];

const CHECKS: CheckResult[] = [
  result({
    id: 'image/structure',
    target: 'disk0',
    summary: 'The structure of root.qcow2 is whole, and nothing of it is missing.',
    durationMs: 310,
    tested: [{ what: 'disk0 (root.qcow2)', how: 'header, tables and length against what the header promises' }],
  }),
  result({
    id: 'filesystem/consistency',
    target: 'disk0/p1',
    summary: 'The journal was replayed on a throw-away overlay; the checker then found nothing to repair.',
    durationMs: 1480,
    consistency: { level: 'crash', why: 'The ext4 file system on disk0/p1 was in use: its journal needs to be replayed.' },
    recovery: { needed: true, seconds: 0.4, bytes: 1_204_224 },
    tested: [{ what: 'ext4 file system on disk0/p1', how: 'journal replayed on an overlay, then e2fsck without repairs' }],
  }),
  result({
    id: 'postgresql/page-checksums',
    target: CLUSTER,
    summary: 'All 80211 pages carry the checksum of their own bytes.',
    durationMs: 1930,
    instanceState: 'recoverable',
    tested: [{ what: 'PostgreSQL 15 cluster in disk1/p1:/pgdata', how: 'checksums of all 80211 pages; log from redo point 0/5A21C28 to its end' }],
  }),
  result({
    id: 'postgresql/recovery',
    target: CLUSTER,
    summary: "The guest's own PostgreSQL 15.8 replayed its log and reached a consistent state.",
    durationMs: 21_400,
    consistency: { level: 'filesystem', why: 'The PostgreSQL cluster in disk1/p1:/pgdata was running: its log must be replayed from 0/5A21C28.' },
    recovery: { needed: true, seconds: 5.6, bytes: 10_900_000 },
    instanceState: 'recoverable',
    tested: [{ what: 'PostgreSQL 15 cluster in disk1/p1:/pgdata', how: "crash recovery by the guest's own engine on an overlay" }],
  }),
  result({
    id: 'sqlite/wal',
    target: 'disk0/p1',
    outcome: 'skip',
    summary: 'Does not apply: this is no SQLite database.',
    durationMs: 0,
    tested: [],
  }),
];

const INSPECTION: Inspection = inspection({
  volumes: [volume('disk0/p1', 'needs-replay')],
  databases: [{ id: CLUSTER, engine: 'postgresql', version: '15', location: { volume: 'disk1/p1', path: '/pgdata' }, links: [], facts: {} }],
});

function record(
  id: string,
  checks: CheckResult[],
  changes: { extraUntested?: UntestedItem[]; deviations?: string[]; left?: string[]; machine?: string },
): VerificationRecord {
  const verdict = foldVerdict({ checks, inspection: INSPECTION, declared: 'application', extraUntested: changes.extraUntested ?? [] });
  const left = changes.left ?? [];
  return buildRecord({
    id,
    startedAt: new Date('2026-11-20T02:00:00Z'),
    finishedAt: new Date('2026-11-20T02:00:42Z'),
    restorePoint: { id: 'db1-2026-11-20', machine: changes.machine ?? 'db1', takenAt: '2026-11-20T01:30:00.000Z' },
    files: FILES,
    verdict,
    checks,
    inspection: INSPECTION,
    policy: { depth: 'recovery', sha256: 'c'.repeat(64) },
    drill: null,
    artefacts: [],
    environment: { snapproof: '0.1.0', accelerator: 'tcg' },
    isolation: { network: 'none' },
    deviations: changes.deviations ?? [],
    stages: [{ name: 'checks', durationMs: 40_000 }],
    cleanup: { complete: left.length === 0, left },
  });
}

const NO_SAVED_RAM: UntestedItem = { what: 'resuming from saved RAM', why: 'the restore point holds no memory file', holdsData: false };

export const passed = record('20261120T020000Z-11111111', CHECKS, {
  extraUntested: [NO_SAVED_RAM],
  deviations: ['No working KVM here: what ran of the guest ran in software emulation, so its times are longer than on the real machine.'],
});

const TORN: CheckResult = {
  ...(CHECKS[2] as CheckResult),
  outcome: 'fail',
  instanceState: 'damaged',
  summary: '5 of 80211 pages do not carry the checksum of their own bytes, and nothing in the log repairs them.',
  findings: [12, 13, 14, 977, 978].map((block) => ({
    code: 'postgresql.page.checksum',
    severity: 'critical' as const,
    message: `Page ${block} is torn: its second half is older than its header says.`,
    where: { file: 'base/16384/16397', block, offset: block * 8192 },
  })),
  advice: 'Restore this database from another restore point. On the running machine, check now whether the table with file 16397 can be read (pg_amcheck).',
};

export const failed = record('20261120T020000Z-22222222', [CHECKS[0], CHECKS[1], TORN, CHECKS[3], CHECKS[4]] as CheckResult[], {
  extraUntested: [NO_SAVED_RAM],
});

const NO_ENGINE: CheckResult = {
  ...(CHECKS[3] as CheckResult),
  outcome: 'error',
  summary: 'The appliance ran out of memory after 12 s.',
  consistency: null,
  recovery: null,
  instanceState: null,
  way: null,
  tested: [],
  advice: 'Give the appliance more memory in the policy (limits.applianceMemoryMiB) and run it again.',
};

export const inconclusive = record('20261120T020000Z-33333333', [CHECKS[0], CHECKS[1], CHECKS[2], NO_ENGINE] as CheckResult[], {
  extraUntested: [{ what: 'encrypted volume disk2', why: 'it is encrypted (LUKS2) and no key was given', holdsData: true }, NO_SAVED_RAM],
  left: ['/var/tmp/snapproof-run-8c1f (still in use by process 4711)'],
});

/** Names as a hostile guest would choose them. */
export const hostile = record(
  '20261120T020000Z-44444444',
  [result({ summary: 'File \u001b]0;pwned\u0007 \u001b[2J <script>alert(1)</script>\n\rPASSED \u202e gnp.exe' })],
  {
    machine: 'db\u001b[31m1\u009b',
    extraUntested: [{ what: '/etc/\u001b[8mhidden', why: 'x'.repeat(300), holdsData: false }],
    deviations: ['\u0000\u2066\ufeff'],
  },
);
