/** One message of a kernel's log. */
export interface LogRecord {
  /** Of the kernel's scheduler clock, from its start on. */
  seconds: number;
  /** 0: the kernel itself. Programs that write into its log have another. */
  facility: number;
  text: string;
}

export type KernelLog = {
  /** `ring`: since 5.10. `records`: 3.5 to 5.9. `text`: before. */
  layout: 'ring' | 'records' | 'text';
  /** Oldest first, each counted once. */
  records: LogRecord[];
};

/** Beyond what any kernel is built with. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024;
const MAX_TEXT = 1024;

/** A message comes from a hostile guest: one line of printable characters. */
export function logText(bytes: Buffer): string {
  return bytes
    .toString('latin1', 0, MAX_TEXT)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trimEnd();
}
