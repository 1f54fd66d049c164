/** Names of relation files and log segments: src/common/relpath.c and xlog_internal.h describe them. */

export const FORKS = ['main', 'fsm', 'vm', 'init'] as const;
export type Fork = (typeof FORKS)[number];

export interface RelationFile {
  relation: number;
  fork: Fork;
  segment: number;
  temporary: boolean;
}

const RELATION = /^(t\d{1,10}_)?(\d{1,10})(?:_(fsm|vm|init))?(?:\.(\d{1,10}))?$/;

/** What a file name below base/, global/ or a tablespace says; null for everything that is no relation. */
export function parseRelationName(name: string): RelationFile | null {
  const match = RELATION.exec(name);
  if (!match) return null;
  const relation = Number(match[2]);
  const segment = match[4] === undefined ? 0 : Number(match[4]);
  if (relation === 0 || relation > 0xffffffff || segment > 0xffffffff) return null;
  return { relation, fork: (match[3] ?? 'main') as Fork, segment, temporary: match[1] !== undefined };
}

export interface SegmentName {
  timeline: number;
  /** First LSN of the segment. */
  start: number;
}

/** What the name of a log segment says; null when it is none for this segment size. */
export function parseSegmentName(name: string, segmentBytes: number): SegmentName | null {
  if (!/^[0-9A-F]{24}$/.test(name)) return null;
  const [timeline, high, low] = [0, 8, 16].map((at) => Number.parseInt(name.slice(at, at + 8), 16)) as [number, number, number];
  if (low >= 2 ** 32 / segmentBytes) return null;
  return { timeline, start: high * 2 ** 32 + low * segmentBytes };
}

export function segmentName(timeline: number, start: number, segmentBytes: number): string {
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return hex(timeline) + hex(Math.floor(start / 2 ** 32)) + hex(Math.floor((start % 2 ** 32) / segmentBytes));
}
