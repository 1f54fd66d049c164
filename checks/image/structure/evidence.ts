/** What qemu-img check said about each layer. */
export interface StructureEvidence {
  layers: LayerReport[];
}

export interface LayerReport {
  path: string;
  format: string;
  /** False: qemu has no check for this format. Then everything below is empty. */
  checkable: boolean;
  /** Numbers of its JSON report; null when it gave none. */
  report: QemuReport | null;
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
