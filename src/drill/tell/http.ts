/** POST with a time limit and another try where that may help. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';

export interface HttpMessage {
  url: string;
  headers: Record<string, string>;
  contentType: string;
  body: string;
}

export interface Patience {
  timeoutMs: number;
  /** Before each further try. */
  pausesMs: number[];
}

export const PATIENCE: Patience = { timeoutMs: 15_000, pausesMs: [2000, 10_000] };

/** @throws LabError when no try was answered with success. Its text has no URL: paths of web hooks are secrets. */
export async function post(message: HttpMessage, patience: Patience): Promise<void> {
  for (let tries = 0; ; tries++) {
    const trouble = await attempt(message, patience.timeoutMs);
    if (trouble === null) return;
    const pause = patience.pausesMs[tries];
    if (!trouble.again || pause === undefined)
      throw new LabError({ code: 'drill-tell.http', message: `${trouble.why}${tries > 0 ? `, after ${tries + 1} tries` : ''}` });
    await sleep(pause);
  }
}

/** A redirect is not followed: it could carry the headers to somebody else. */
async function attempt({ url, headers, contentType, body }: HttpMessage, timeoutMs: number): Promise<{ why: string; again: boolean } | null> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': contentType, 'user-agent': 'snapproof' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    if (answer.ok) return null;
    return { why: `the server answered with status ${answer.status}`, again: answer.status >= 500 || answer.status === 429 };
  } catch (error) {
    return { why: reasonOf(error, timeoutMs), again: true };
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return `the server cannot be reached (${cause?.code ?? cause?.message ?? (error instanceof Error ? error.name : 'unknown')})`;
}
