import { describe, expect, it } from 'vitest';
import { parseMessage } from '../format/protobuf.js';
import { newWalState } from '../format/wal.js';
import check from './index.js';
import type { EtcdEvidence } from './scan.js';

const evidence = (change: Partial<EtcdEvidence>): EtcdEvidence => ({
  volume: 'v',
  folder: '/member',
  wal: [{ path: '/member/wal/0', sequence: 0, firstIndex: 0, sizeBytes: 64_000_000, end: { kind: 'whole', at: 1000, why: '', lastNonZero: null } }],
  state: { ...newWalState(), records: 30, entries: 20, firstIndex: 1, lastIndex: 20, commit: 18, snapshotIndex: 10 },
  snapshots: [{ path: '/member/snap/a', index: 10, good: true }],
  consistentIndex: 15,
  hasWalFolder: true,
  more: 0,
  ...change,
});
const codes = (change: Partial<EtcdEvidence>) => check.evaluate(evidence(change), {}).findings.map(({ code, severity }) => `${code} ${severity}`);
const end = (kind: 'whole' | 'torn' | 'broken', lastNonZero: number | null) =>
  [{ ...evidence({}).wal[0], end: { kind, at: 1000, why: 'x', lastNonZero } }] as EtcdEvidence['wal'];

describe('the rules', () => {
  it('are silent for a member under load', () => expect(codes({})).toEqual([]));
  it('take a torn tail for what it is', () => expect(codes({ wal: end('torn', null) })).toEqual(['etcd.wal.tail warning']));
  it('tell a hole from an unfinished write', () => {
    expect(codes({ wal: end('whole', 3000) })).toEqual(['etcd.wal.hole warning']);
    expect(codes({ wal: end('whole', 5_000_000) })).toEqual(['etcd.wal.hole critical']);
  });
  it('find a store that is older than the snapshot', () => expect(codes({ consistentIndex: 5 })).toEqual(['etcd.store-older critical']));
  it('find a damaged snapshot, the newest or an older one', () => {
    expect(codes({ snapshots: [{ path: '/s', index: 10, good: false }] })).toEqual(['etcd.snapshot critical']);
    const older = [
      { path: '/o', index: 4, good: false },
      { path: '/s', index: 10, good: true },
    ];
    expect(codes({ snapshots: older })).toEqual(['etcd.snapshot warning']);
  });
  it('find a log that does not reach back to the snapshot', () => {
    expect(codes({ wal: [{ ...evidence({}).wal[0], firstIndex: 12 }] as EtcdEvidence['wal'] })).toEqual(['etcd.snapshot critical']);
  });
});

it('messages that are none are refused', () => {
  for (const hex of ['ff', '0aff01', '0a05aa', '0d00000000', `08${'ff'.repeat(12)}`]) expect(() => parseMessage(Buffer.from(hex, 'hex'))).toThrow();
});
