/** A restore point that a source names, before anything of it is opened. */
export interface Candidate {
  machine: string;
  /** ISO 8601, UTC; null: nothing says when. */
  takenAt: string | null;
  /** Milliseconds since 1970 that put the restore points of a machine in order: `takenAt`, else when the files were last written. */
  orderMs: number;
  /** Absolute; as `verify` takes it. */
  path: string;
  /** Why nothing here can read it; null: it may be tried. */
  unreadable: string | null;
  /** Path under which it waits in the queue; absent: it does not. */
  queued?: string;
}

/** What a source gives. `notes`: what was seen and left out, in sentences. */
export interface Listing {
  candidates: Candidate[];
  notes: string[];
}

/** A source is bounded, so that a wrong path does not walk a whole file server. */
export const MAX_CANDIDATES = 100_000;
