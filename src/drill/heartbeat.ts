/** Says in the log of the night that something slow is still at work, and at what: slow must never read as hung. */

export interface Heartbeat {
  everyMs: number;
  /** What it is at now, after so many minutes. */
  words: (minutes: number) => string;
  say: (line: string) => void;
}

export const HEARTBEAT_MS = 5 * 60_000;

export async function withHeartbeat<T>({ everyMs, words, say }: Heartbeat, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const timer = setInterval(() => say(words(Math.round((performance.now() - begin) / 60_000))), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
