/**
 * Scripts that have nothing to do with each other run in one request, each in a process of its own: a file system's checker
 * leaves the appliance's second processor idle.
 */
import type { ApplianceResult } from '../lab.js';

export interface Asked {
  script: string;
  timeoutMs: number;
}

/** Of each stream, so that the answers of all fit into one. */
const OUTPUT_BYTES = 450_000;

/** Each answer is printed as soon as it is there: when the time is up, those that had ended are not lost. */
export function sideBySideScript(scripts: string[], folder = '/tmp'): string {
  const file = (part: number | string, stream: string) => `${folder}/side.${part}.${stream}`;
  const encode = (stream: string) => `head -c ${OUTPUT_BYTES} ${file('$1', stream)} | base64 -w0; echo`;
  return [
    'set +m', // all stay in the group that is ended when the time is up
    `answer() { echo "$1 $2"; ${encode('out')}; ${encode('err')}; }`,
    ...scripts.flatMap((script, i) => [`part${i}() {`, script, '}']),
    'while read -r part code; do answer "$part" "$code"; done < <(',
    ...scripts.map((_, i) => `  { ( part${i} ) >${file(i, 'out')} 2>${file(i, 'err')} </dev/null; echo "${i} $?"; } &`),
    '  wait',
    ')',
    'exit 0',
  ].join('\n');
}

/** The answers in the order of the scripts. One that is missing was cut off: by its time, or with the whole. */
export function parseSideBySide(whole: ApplianceResult, count: number): ApplianceResult[] {
  const lines = whole.stdout.split('\n');
  const answers = new Map<number, ApplianceResult>();
  for (let i = 0; i + 2 < lines.length; i += 3) {
    const [, index, code] = /^(\d+) (\d+)$/.exec(lines[i] ?? '') ?? [];
    if (index === undefined) break;
    const { durationMs } = whole;
    answers.set(Number(index), { exitCode: Number(code), stdout: decode(lines[i + 1]), stderr: decode(lines[i + 2]), timedOut: false, durationMs });
  }
  return Array.from({ length: count }, (_, i) => answers.get(i) ?? { ...whole, stdout: '' });
}

function decode(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** Collects what is asked for in one go. */
export class SideBySide {
  private queue: (Asked & { resolve(result: ApplianceResult): void; reject(error: unknown): void })[] = [];

  /** @param run takes one script with its time limit to the appliance. */
  constructor(private readonly run: (script: string, timeoutMs: number) => Promise<ApplianceResult>) {}

  ask(asked: Asked): Promise<ApplianceResult> {
    return new Promise((resolve, reject) => {
      this.queue.push({ ...asked, resolve, reject });
      if (this.queue.length === 1) setImmediate(() => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    const batch = this.queue.splice(0);
    const [first] = batch;
    if (!first) return;
    try {
      const timeoutMs = Math.max(...batch.map((asked) => asked.timeoutMs));
      const results =
        batch.length === 1
          ? [await this.run(first.script, timeoutMs)]
          : parseSideBySide(await this.run(sideBySideScript(batch.map(({ script }) => script)), timeoutMs), batch.length);
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as ApplianceResult);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
