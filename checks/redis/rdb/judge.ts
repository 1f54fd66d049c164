/** What the scan of one RDB file says: shared with the base file of a multi-part append-only file. */
import type { Problems } from '../../../src/bytes/problems.js';
import type { UntestedItem } from '../../../src/types.js';
import type { RdbScan } from './scan.js';

export interface JudgedRdb {
  problems: Problems;
  untested: UntestedItem[];
}

/** @param ownFile false for the part of an append-only file behind which commands follow. */
export function judgeRdb(path: string, scan: RdbScan, into: JudgedRdb, ownFile = true): void {
  const { facts, sizeBytes } = scan;
  if (facts === null) {
    judgeUnread(path, scan, into);
    return;
  }
  const where = { file: path, offset: facts.endsAt };
  if (facts.checksum === 'differs') {
    into.problems.damaged(
      'redis.rdb.checksum',
      `The checksum of ${path} does not fit its bytes: they are not what was written, and the server refuses it.`,
      where,
    );
  }
  if (facts.checksum === 'none') {
    const message = `${path} was written without a checksum: its lengths were followed, changed bytes inside keys and values cannot be seen.`;
    into.problems.add({ code: 'redis.rdb.no-checksum', severity: 'info', message, where: { file: path }, state: null });
    into.untested.push({ what: `bit rot inside ${path}`, why: 'it was written without a checksum (rdbchecksum no)', holdsData: false });
  }
  if (ownFile && facts.endsAt < sizeBytes) {
    const message = `${sizeBytes - facts.endsAt} bytes follow the end of ${path}. The server does not read them.`;
    into.problems.add({ code: 'redis.rdb.trailing', severity: 'warning', message, where, state: null });
  }
}

function judgeUnread(path: string, { why, unknown, wholeChecksum, sizeBytes }: RdbScan, into: JudgedRdb): void {
  if (wholeChecksum) {
    into.untested.push({ what: `structure of ${path}`, why: `its checksum fits, but ${why}, which this version cannot read`, holdsData: false });
    return;
  }
  if (unknown && why.startsWith('it is of version')) {
    into.untested.push({ what: path, why: `${why}, which this version cannot read`, holdsData: true });
    return;
  }
  const state = sizeBytes === 0 ? 'It has no bytes' : why;
  into.problems.damaged('redis.rdb.structure', `${path} cannot be loaded: ${state}.`, { file: path, sizeBytes });
}
