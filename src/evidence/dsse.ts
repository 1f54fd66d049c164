/**
 * DSSE, Dead Simple Signing Envelope (https://github.com/secure-systems-lab/dsse, protocol and envelope, version 1.0).
 * The signature is over the payload's bytes, so it is verified before anybody reads what they say.
 */
import type { DsseEnvelope } from '../documents.js';
import { FormatError } from '../errors.js';
import { canonicalJson } from '../ledger/index.js';

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A statement names every check of a record: some hundred kilobytes at most. */
const MAX_ENVELOPE_LENGTH = 16 * 1024 * 1024;
const ED25519_SIGNATURE_BYTES = 64;

/** An envelope whose signature nobody has verified yet. */
export interface OpenedEnvelope {
  payload: Buffer;
  /** What is signed. */
  encoding: Buffer;
  /** A hint which key to try; proves nothing. */
  keyid: string;
  signature: Buffer;
}

/** PAE: `DSSEv1`, then length and bytes of the type and of the body. Lengths are decimal and count bytes. */
export function preAuthenticationEncoding(type: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

export function makeEnvelope(payload: Uint8Array, keyid: string, signature: Uint8Array): DsseEnvelope {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { payloadType: PAYLOAD_TYPE, payload: base64(payload), signatures: [{ keyid, sig: base64(signature) }] };
}

/**
 * Takes apart an envelope as snapproof writes it: canonical JSON, one signature, so that no byte of it can be changed unseen.
 * @throws FormatError
 */
export function openEnvelope(text: string): OpenedEnvelope {
  const { payloadType, payload, signatures } = parse(text);
  if (payloadType !== PAYLOAD_TYPE) throw wrong(`its payload type is ${JSON.stringify(payloadType)}`);
  if (!Array.isArray(signatures) || signatures.length !== 1) throw wrong('it does not have exactly one signature');
  const [{ keyid, sig, ...rest }] = signatures as [Record<string, unknown>];
  if (typeof keyid !== 'string' || Object.keys(rest).length > 0) throw wrong('its signature has other fields than "keyid" and "sig"');
  const signature = fromBase64(sig, 'signature');
  if (signature.length !== ED25519_SIGNATURE_BYTES) throw wrong(`its signature has ${signature.length} bytes instead of ${ED25519_SIGNATURE_BYTES}`);
  const body = fromBase64(payload, 'payload');
  return { payload: body, encoding: preAuthenticationEncoding(PAYLOAD_TYPE, body), keyid, signature };
}

function parse(text: string): Record<string, unknown> {
  if (text.length > MAX_ENVELOPE_LENGTH) throw wrong(`it is longer than ${MAX_ENVELOPE_LENGTH} bytes`);
  const value = parseJson(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrong('it is no JSON object');
  const { payloadType: _type, payload: _payload, signatures, ...rest } = value as Record<string, unknown>;
  if (Object.keys(rest).length > 0) throw wrong('it has other fields than "payloadType", "payload" and "signatures"');
  if (Array.isArray(signatures) && signatures.some((one) => one === null || typeof one !== 'object')) throw wrong('a signature is no object');
  if (canonical(value) !== text) throw wrong('it is not written as canonical JSON');
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('it is no JSON');
  }
}

/** Null where there is none: too deep, or halves of characters. */
function canonical(value: unknown): string | null {
  try {
    return canonicalJson(value);
  } catch {
    return null;
  }
}

/** Only the one way to write these bytes is taken: Node would skip over what is no base64. */
function fromBase64(value: unknown, what: string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : null;
  if (bytes === null || bytes.toString('base64') !== value) throw wrong(`its ${what} is no base64`);
  return bytes;
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'evidence.envelope', message: `The envelope cannot be read: ${why}.` });
}
