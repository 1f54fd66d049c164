/** Private keys on the disk: PKCS#8, PEM, one file per key below `keys/` of the state folder, for the eyes of their owner only. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, closeSync, constants, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError, LedgerError } from '../errors.js';
import { shellQuote } from '../labs/lab.js';
import { fromKey, type PublicKey } from './public-key.js';

/** Asks for the passphrase of a key; null: there is nobody to ask. */
export type Passphrase = (what: string) => Promise<string | null>;

const FOLDER = 'keys';
/** Ed25519, encrypted or not, has some hundred bytes. */
const MAX_FILE_BYTES = 16 * 1024;
/** PBES2 with AES-256 (RFC 8018), what OpenSSL reads everywhere. */
const CIPHER = 'aes-256-cbc';

export function keyFolder(stateFolder: string): string {
  return join(stateFolder, FOLDER);
}

export function keyPath(stateFolder: string, keyId: string): string {
  return join(keyFolder(stateFolder), `${keyId}.pem`);
}

export function hasKeyFile(stateFolder: string, keyId: string): boolean {
  return existsSync(keyPath(stateFolder, keyId));
}

/** Makes a key and stores it, flushed, before anybody learns of it. @param passphrase null: stored without encryption */
export function createKey(stateFolder: string, passphrase: string | null): { publicKey: PublicKey; privateKey: KeyObject; path: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const own = fromKey(publicKey);
  const path = keyPath(stateFolder, own.keyId);
  const protection = passphrase === null ? {} : { cipher: CIPHER, passphrase };
  writeSecret(path, String(privateKey.export({ type: 'pkcs8', format: 'pem', ...protection })));
  return { publicKey: own, privateKey, path };
}

/** @throws LedgerError `key.missing`, `key.open` (others may read it), `key.locked`, `key.unreadable` */
export async function readKey(stateFolder: string, keyId: string, passphrase: Passphrase): Promise<KeyObject> {
  const path = keyPath(stateFolder, keyId);
  const pem = readSecret(path);
  const secret = pem.startsWith('-----BEGIN ENCRYPTED PRIVATE KEY-----') ? await passphrase(path) : undefined;
  if (secret === null) throw locked(path);
  const key = parse(path, pem, secret);
  if (keyIdOf(path, key) !== keyId) throw unreadable(path, 'another key than its name says lies in it');
  return key;
}

function parse(path: string, pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    throw unreadable(path, passphrase === undefined ? 'it holds no private key in PKCS#8' : 'the passphrase is wrong, or it holds no private key in PKCS#8');
  }
}

function keyIdOf(path: string, key: KeyObject): string {
  try {
    return fromKey(key).keyId;
  } catch (error) {
    throw unreadable(path, error instanceof FormatError ? error.message : String(error));
  }
}

function writeSecret(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  chmodSync(join(path, '..'), 0o700);
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What was checked is what is read: one handle, and no symbolic link. */
function readSecret(path: string): string {
  const file = openSecret(path);
  try {
    const { mode, uid, size } = fstatSync(file);
    const ownUser = process.getuid?.() ?? uid;
    if ((mode & 0o077) !== 0) throw tooOpen(path, mode);
    if (uid !== ownUser && uid !== 0) throw unreadable(path, 'it belongs to another user');
    if (size > MAX_FILE_BYTES) throw unreadable(path, 'it is too large for a key');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function openSecret(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, (cause as Error).message);
    throw new LedgerError({
      code: 'key.missing',
      message: `The private key ${path} is not there.`,
      advice: 'Put it back from a backup. If it is lost: "snapproof keys init" makes a new one.',
      cause,
    });
  }
}

function tooOpen(path: string, mode: number): LedgerError {
  return new LedgerError({
    code: 'key.open',
    message: `The private key ${path} may be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')}), so it is not used.`,
    advice: `chmod 600 ${shellQuote(path)}\nIf somebody else can have read it: snapproof keys rotate`,
  });
}

function locked(path: string): LedgerError {
  return new LedgerError({
    code: 'key.locked',
    message: `The private key ${path} is protected by a passphrase, and there is nobody to ask for it.`,
    advice: 'Name a file that holds the passphrase in SNAPPROOF_KEY_PASSPHRASE_FILE.',
  });
}

function unreadable(path: string, why: string): LedgerError {
  return new LedgerError({ code: 'key.unreadable', message: `The private key ${path} cannot be used: ${why}.` });
}
