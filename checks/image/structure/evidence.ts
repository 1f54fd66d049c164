/** What qemu-img check said about each layer. */
export interface StructureEvidence {
  layers: LayerReport[];
}

export interface LayerReport {
  path: string;
  format: string;
  /** Why it was not checked; null when it was. Then everything below is empty. */
  notChecked: 'no tables' | 'no check in qemu' | 'log not replayed' | null;
  /** The image says itself that its reference counts are behind (qcow2 with lazy refcounts, copied while open). */
  dirty: boolean;
  /** Numbers of its JSON report; null when it gave none. */
  report: QemuReport | null;
  /** Lines that only say that a cluster used once is not counted yet: what `dirty` announces. */
  staleCounts: number;
  exitCode: number | null;
  /** The first lines it wrote to stderr, and how many more there were. */
  messages: string[];
  moreMessages: number;
}

export interface QemuReport {
  corruptions: number;
  leaks: number;
  checkErrors: number;
}

export interface StructureOptions {
  memoryMiB: number;
}
