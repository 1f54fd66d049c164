/** What is wrong with a saved memory: everything is counted, the first of each code is kept with its offset. */
import { FormatError } from '../errors.js';
import type { Finding, Severity } from '../types.js';

const EXAMPLES_OF_EACH = 5;
const MAX_MESSAGE = 400;

export class MemoryFindings {
  private readonly kept: Finding[] = [];
  private readonly counts = new Map<string, number>();

  add(severity: Severity, code: string, message: string, where: Finding['where'] = {}): void {
    const seen = this.counts.get(code) ?? 0;
    this.counts.set(code, seen + 1);
    if (seen < EXAMPLES_OF_EACH) this.kept.push({ code: `memory.${code}`, severity, message: message.slice(0, MAX_MESSAGE), where });
  }

  /** What a parser threw. Anything but a FormatError is thrown on. */
  addError(error: unknown, where: Finding['where'] = {}): void {
    if (!(error instanceof FormatError)) throw error;
    this.add('critical', error.code.replace(/^memory\./, ''), error.message, where);
  }

  get critical(): boolean {
    return this.kept.some(({ severity }) => severity === 'critical');
  }

  /** The kept ones, and for each code that came more often one that says how often. */
  list(): Finding[] {
    const more = [...this.counts].filter(([, times]) => times > EXAMPLES_OF_EACH);
    const counted = more.map(
      ([code, times]): Finding => ({ code: `memory.${code}`, severity: 'info', message: `There are ${times} of these in all.`, where: {} }),
    );
    return [...this.kept, ...counted];
  }
}

/** @param code behind `memory.` */
export function broken(code: string, message: string): FormatError {
  return new FormatError({ code: `memory.${code}`, message });
}

/** Text of a stream for a sentence: printable, quoted, short. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
