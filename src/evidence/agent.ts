/**
 * A program that signs for us: a hardware token, a key server, a machine of its own. It gets what is to be signed (the DSSE pre-authentication
 * encoding) on standard input and gives the raw Ed25519 signature, 64 bytes, on standard output. It is started as it is named; no shell.
 */
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError, UsageError } from '../errors.js';
import { parseText } from '../schema/document.js';
import { validate } from '../schema/validate.js';
import { keyFolder } from './key-files.js';

export const COMMAND_VARIABLE = 'SNAPPROOF_SIGN_COMMAND';
const CONFIG_FILE = 'signing.yaml';
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['agent'],
  properties: { agent: { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } } },
};
const SIGNATURE_BYTES = 64;
const TIMEOUT_MS = 60_000;
const KEPT_BYTES = 64 * 1024;

/** The command of `SNAPPROOF_SIGN_COMMAND` (words, or a JSON list), else of `keys/signing.yaml`; null when there is neither. @throws UsageError */
export function signCommand(stateFolder: string, env: NodeJS.ProcessEnv): string[] | null {
  const named = env[COMMAND_VARIABLE]?.trim();
  return named ? words(named) : configured(join(keyFolder(stateFolder), CONFIG_FILE));
}

function words(text: string): string[] {
  if (!text.startsWith('[')) return text.split(/\s+/);
  const document = parseText(text, 'json', COMMAND_VARIABLE);
  validate(SCHEMA.properties.agent, document, { file: COMMAND_VARIABLE, code: 'usage.signCommand' });
  return document.value as string[];
}

function configured(path: string): string[] | null {
  const text = readConfig(path);
  if (text === null) return null;
  const document = parseText(text, 'yaml', path);
  validate(SCHEMA, document, { file: path, code: 'usage.signCommand' });
  return (document.value as { agent: string[] }).agent;
}

/** Whoever may write this file chooses a program that we start. */
function readConfig(path: string): string | null {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return null;
  if ((info.mode & 0o022) === 0) return readFileSync(path, 'utf8');
  throw new UsageError({ code: 'usage.signCommand', message: `${path} may be written by others, so it is not used.`, advice: `chmod go-w '${path}'` });
}

/** @throws LedgerError `key.agent` with the program's own words when it does not give a signature */
export async function signWith(command: string[], bytes: Buffer, timeoutMs = TIMEOUT_MS): Promise<Buffer> {
  const { output, errors, ending } = await run(command, bytes, timeoutMs);
  if (ending !== null) throw failed(command, `${ending}${errors ? `: ${errors}` : ''}`);
  if (output.length !== SIGNATURE_BYTES) throw failed(command, `it gave ${output.length} bytes; a raw Ed25519 signature has ${SIGNATURE_BYTES}`);
  return output;
}

interface Run {
  output: Buffer;
  errors: string;
  /** Null when it ended well. */
  ending: string | null;
}

function run([program = '', ...args]: string[], input: Buffer, timeoutMs: number): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
    const output = keep(child.stdout);
    const errors = keep(child.stderr);
    const done = (ending: string | null): void => resolve({ output: output(), errors: errors().toString('utf8').trim(), ending });
    child.on('error', (error) => done(`it could not be started: ${error.message}`));
    child.on('close', (code, signal) =>
      done(code === 0 ? null : signal ? `it was ended by ${signal} (limit: ${timeoutMs / 1000} s)` : `it ended with exit code ${code}`),
    );
    // It may end without reading: its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function keep(stream: NodeJS.ReadableStream): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < KEPT_BYTES) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks);
}

function failed(command: string[], why: string): LedgerError {
  return new LedgerError({
    code: 'key.agent',
    message: `The signing command ${command.join(' ')} gave no signature: ${why}.`,
    advice: `See ${COMMAND_VARIABLE}, or ${CONFIG_FILE} in the folder of the keys. When it works again, "snapproof attest" signs what is unsigned.`,
  });
}
