/** What comes of holding a log on disk against memory. */
/** `different`: of another instant, and nothing tells which is later. */
export type Relation = 'same' | 'disk-later' | 'disk-earlier' | 'different' | 'not-mounted' | 'unknown';

export interface Comparison {
  relation: Relation;
  /** False: it may be so, and something else could explain it. */
  proven: boolean;
  /** How far apart: `3 transactions`. Empty when they are not. */
  by: string;
  /** The same in seconds of the guest's clock; null: not known. A disk is at least so much later, or at most so much earlier: logs are not written all the time. */
  seconds: number | null;
  /** What was held against what; of `unknown`: why it cannot be told. */
  how: string;
}

/** @param logged when the newest of the log on the disk was written */
export function secondsApart(diskLater: boolean, logged: number | null, clockSeconds: number | null): number | null {
  if (logged === null || clockSeconds === null) return null;
  const apart = diskLater ? logged - clockSeconds : clockSeconds - logged;
  return apart > 0 ? apart : null;
}

export function unknown(how: string): Comparison {
  return { relation: 'unknown', proven: false, by: '', seconds: null, how };
}
