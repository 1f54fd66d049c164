/**
 * A program that signs for us: a hardware token, a key server, a machine of its own. It gets what is to be signed (the DSSE pre-authentication
 * encoding) on standard input and gives the raw Ed25519 signature, 64 bytes, on standard output. It is started as it is named; no shell.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError, UsageError } from '../errors.js';
import { parseText } from '../schema/document.js';
import { validate } from '../schema/validate.js';
import { runCommand } from './command.js';
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
  const { output, errors, ending } = await runCommand(command, bytes, timeoutMs);
  if (ending !== null) throw failed(command, `${ending}${errors ? `: ${errors}` : ''}`);
  if (output.length !== SIGNATURE_BYTES) throw failed(command, `it gave ${output.length} bytes; a raw Ed25519 signature has ${SIGNATURE_BYTES}`);
  return output;
}

function failed(command: string[], why: string): LedgerError {
  return new LedgerError({
    code: 'key.agent',
    message: `The signing command ${command.join(' ')} gave no signature: ${why}.`,
    advice: `See ${COMMAND_VARIABLE}, or ${CONFIG_FILE} in the folder of the keys. When it works again, "snapproof attest" signs what is unsigned.`,
  });
}
