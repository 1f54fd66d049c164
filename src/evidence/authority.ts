/** How an authority for time stamps is asked: over HTTP (RFC 3161, section 3.4), or by a program that does it. */
import { LedgerError, UsageError } from '../errors.js';
import { runCommand } from './command.js';

export interface Authority {
  /** For people. */
  name: string;
  ask(query: Uint8Array): Promise<Buffer>;
}

const TIMEOUT_MS = 60_000;
/** A reply has some kilobytes: a token and a few certificates. */
const MAX_REPLY_BYTES = 256 * 1024;

/** @throws UsageError for what is no address of the web */
export function authorityAt(address: string): Authority {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError({ code: 'usage.tsa', message: `--tsa does not know the address "${address}".`, advice: 'It begins with http:// or https://.' });
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const headers = username
    ? { authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` }
    : {};
  return { name: url.href, ask: (query) => post(url, query, headers) };
}

/** @param command gets the query (DER) on standard input and gives the reply (DER) on standard output; no shell */
export function authorityOf(command: string[]): Authority {
  const name = command.join(' ');
  const ask = async (query: Uint8Array): Promise<Buffer> => {
    const { output, errors, ending } = await runCommand(command, query, TIMEOUT_MS);
    if (ending === null) return output;
    throw silent(name, `${ending}${errors ? `: ${errors.slice(0, 500)}` : ''}`);
  };
  return { name, ask };
}

/** @throws LedgerError `timestamp.authority` when it gives no reply */
export async function askAuthority(authority: Authority, query: Uint8Array): Promise<Buffer> {
  const reply = await authority.ask(query);
  if (reply.length === 0) throw silent(authority.name, 'its reply is empty');
  if (reply.length > MAX_REPLY_BYTES) throw silent(authority.name, 'its reply is too long for a time stamp');
  return reply;
}

async function post(url: URL, query: Uint8Array, headers: Record<string, string>): Promise<Buffer> {
  try {
    const body = Buffer.from(query);
    const sent = { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply', ...headers };
    const response = await fetch(url, { method: 'POST', body, headers: sent, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw silent(url.href, `it answered with status ${response.status}`);
    return await limited(response);
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause;
    const { message, cause: inner } = cause as Error;
    throw silent(url.href, inner instanceof Error ? inner.message : message);
  }
}

async function limited(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_REPLY_BYTES) break;
  }
  return Buffer.concat(chunks);
}

function silent(name: string, why: string): LedgerError {
  return new LedgerError({
    code: 'timestamp.authority',
    message: `The authority ${name} gave no time stamp: ${why}.`,
    advice: 'The ledger is unharmed. Try again later, or ask another authority.',
  });
}
