/**
 * Time stamps of an authority outside (RFC 3161): it sees the hash of the head of the chain and signs it with its time, so that nobody can make
 * the chain anew later. openssl makes the query, verifies the answer and reads it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TimestampDocument } from '../documents.js';
import { LedgerError } from '../errors.js';
import { type LedgerHead, newRecordId } from '../ledger/index.js';
import { runTool } from '../process/run-tool.js';
import { type Authority, askAuthority } from './authority.js';

/** DER. */
export interface Token {
  bytes: Buffer;
  /** ISO 8601, UTC. */
  genTime: string;
  /** As the token names it; of one that does not, how it was reached. */
  authority: string;
}

const OPENSSL_TIMEOUT_MS = 30_000;

/**
 * Asks for a time stamp of a head. Nothing of the answer is taken that does not verify with the given certificates.
 * @throws LedgerError `timestamp.*` when there is none to be had; MissingToolError without openssl
 */
export async function requestTimestamp(head: LedgerHead, authority: Authority, caFile: string): Promise<TimestampDocument> {
  const token = await inFolder(async (folder) => {
    const [query, reply, token] = ['query.tsq', 'reply.tsr', 'token.tst'].map((name) => join(folder, name)) as [string, string, string];
    await mustOpenssl(['ts', '-query', '-digest', head.hash, '-sha256', '-cert', '-out', query], 'made no query');
    writeFileSync(reply, await askAuthority(authority, readFileSync(query)));
    await mustOpenssl(['ts', '-verify', '-queryfile', query, '-in', reply, '-CAfile', caFile], 'does not accept the answer of the authority');
    await mustOpenssl(['ts', '-reply', '-in', reply, '-token_out', '-out', token], 'found no token in the answer of the authority');
    return readToken(readFileSync(token), authority.name);
  });
  const now = new Date();
  return {
    schema: 'snapproof.timestamp/v1',
    id: `timestamp-${newRecordId(now)}`,
    at: now.toISOString(),
    headSeq: head.count,
    headHash: head.hash,
    token: token.bytes.toString('base64'),
    authority: token.authority,
    genTime: token.genTime,
  };
}

/**
 * Whether a stored token is about its head and was signed by an authority of these certificates, as they were valid at its time.
 * @returns what is wrong; null: nothing
 */
export async function objectionToTimestamp(document: Pick<TimestampDocument, 'token' | 'headHash' | 'genTime'>, caFile: string): Promise<string | null> {
  if (!/^[0-9a-f]{64}$/.test(document.headHash)) return 'it names no hash';
  return inFolder(async (folder) => {
    const path = join(folder, 'token.tst');
    const bytes = Buffer.from(document.token, 'base64');
    writeFileSync(path, bytes);
    const token = await readToken(bytes, '').catch((error: LedgerError) => error.message);
    if (typeof token === 'string') return token;
    if (token.genTime !== document.genTime) return `its token says ${token.genTime}, not ${document.genTime}`;
    const atSeconds = Math.floor(Date.parse(token.genTime) / 1000);
    const args = ['ts', '-verify', '-digest', document.headHash, '-token_in', '-in', path, '-CAfile', caFile, '-attime', String(atSeconds)];
    const { exitCode, stderr } = await openssl(args);
    return exitCode === 0 ? null : `openssl does not accept its token: ${reasonIn(stderr)}`;
  });
}

async function readToken(bytes: Buffer, name: string): Promise<Token> {
  return inFolder(async (folder) => {
    const path = join(folder, 'token.tst');
    writeFileSync(path, bytes);
    const text = await mustOpenssl(['ts', '-reply', '-in', path, '-token_in', '-text'], 'cannot read the token');
    const time = /^Time stamp: (\w{3} +\d{1,2} \d{2}:\d{2}:\d{2}(?:\.\d+)? \d{4}) GMT$/m.exec(text)?.[1];
    const instant = time === undefined ? Number.NaN : Date.parse(`${time} GMT`);
    if (Number.isNaN(instant)) throw trouble('timestamp.token', 'the token says no time');
    const own = /^TSA: (?!unspecified)(.{1,500})$/m.exec(text)?.[1];
    return { bytes, genTime: new Date(instant).toISOString(), authority: own?.replace(/^DirName:/, '') ?? name };
  });
}

async function mustOpenssl(args: string[], failure: string): Promise<string> {
  const { exitCode, stdout, stderr } = await openssl(args);
  if (exitCode === 0) return stdout;
  throw trouble('timestamp.refused', `openssl ${failure}: ${reasonIn(stderr)}`);
}

function openssl(args: string[]): ReturnType<typeof runTool> {
  return runTool({ tool: 'openssl', args, timeoutMs: OPENSSL_TIMEOUT_MS });
}

/** Its lines are `thread:error:number:library:function:reason:file:line:data`; the reason is what helps. */
function reasonIn(stderr: string): string {
  const reasons = stderr.split('\n').map((line) => /:error:[^:]*:[^:]*:[^:]*:([^:]+):/.exec(line)?.[1] ?? '');
  return [...new Set(reasons.filter(Boolean))].slice(0, 3).join('; ') || stderr.trim().slice(0, 300) || 'it gave no reason';
}

function trouble(code: string, message: string): LedgerError {
  return new LedgerError({ code, message: `There is no time stamp: ${message}.`, advice: 'The ledger is unharmed. See --tsa, --tsa-command and --tsa-ca.' });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-timestamp-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
