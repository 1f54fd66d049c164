/** What was found of the relation files as a whole. Plain data, kept as evidence. */
import type { RelationEntry } from '../cluster-files.js';
import { emptyPageFacts, type PageFacts } from './facts.js';

/** A segment file that is shorter than 1 GiB although the relation goes on in the next. */
export interface ShortSegment {
  file: string;
  sizeBytes: number;
  next: string;
}

export interface RelationFacts {
  files: number;
  bytes: number;
  exemptFiles: number;
  derivedFiles: number;
  shortSegments: { count: number; examples: ShortSegment[] };
  /** Relation files that could not be read. */
  unreadable: { count: number; examples: string[] };
  missingTablespaces: string[];
  pages: PageFacts;
}

const MAX_EXAMPLES = 20;

export function emptyRelationFacts(files: number, missingTablespaces: string[]): RelationFacts {
  return {
    ...{ files, bytes: 0, exemptFiles: 0, derivedFiles: 0, missingTablespaces, pages: emptyPageFacts() },
    ...{ shortSegments: { count: 0, examples: [] }, unreadable: { count: 0, examples: [] } },
  };
}

export function noteUnreadable(facts: RelationFacts, path: string): void {
  facts.unreadable.count++;
  if (facts.unreadable.examples.length < MAX_EXAMPLES) facts.unreadable.examples.push(path);
}

/** Segment n+1 holds data only when n is full. Empty segments after a truncation are normal. */
export function shortSegments(entries: RelationEntry[], fullBytes: number): RelationFacts['shortSegments'] {
  const sizes = new Map(entries.map((entry) => [entry.path, entry.sizeBytes]));
  const found: RelationFacts['shortSegments'] = { count: 0, examples: [] };
  for (const entry of entries) {
    if (entry.segment === 0 || entry.sizeBytes === 0) continue;
    const base = entry.path.slice(0, entry.path.lastIndexOf('.'));
    const before = entry.segment === 1 ? base : `${base}.${entry.segment - 1}`;
    const sizeBytes = sizes.get(before) ?? 0;
    if (sizeBytes >= fullBytes) continue;
    found.count++;
    if (found.examples.length < MAX_EXAMPLES) found.examples.push({ file: before, sizeBytes, next: entry.path });
  }
  return found;
}
