/** `snapproof keys`: the keys that sign, and what became of them. */
import { EXIT, type ExitCode } from '../errors.js';
import {
  checkLedgerSignatures,
  hasKeyFile,
  initKey,
  type KeyState,
  keyInUse,
  type NewKey,
  publicKeyFile,
  revokeKey,
  rotateKey,
  type SigningContext,
  shortKeyId,
} from '../evidence/index.js';
import { type Ledger, openLedger, readLedger, stateFolder } from '../ledger/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { table } from '../reporters/text.js';
import { newPassphrase, PASSPHRASE_VARIABLE } from './passphrase.js';
import { signingContext } from './recording.js';
import { print, type Streams } from './streams.js';

export interface KeysArguments {
  state?: string | undefined;
}

export interface NewKeyArguments extends KeysArguments {
  /** Encrypt the private key; also when the environment names a file with a passphrase. */
  passphrase?: boolean | undefined;
  /** File of a public key whose private half a signing command has. */
  publicKey?: string | undefined;
  /** The private key in use is no more. */
  lost?: boolean | undefined;
  reason?: string | undefined;
}

/** @throws LedgerError `key.exists` */
export async function keysInitCommand(options: NewKeyArguments, streams: Streams): Promise<ExitCode> {
  const context = signingContext(options.state, streams);
  return withLedger(context, async (ledger) => {
    const { key, first, path } = await initKey(ledger, context, await newKey(options, context), options.lost ?? false);
    await print(streams.stdout, `${key.keyId}\n`);
    await print(streams.stderr, [`Key ${shortKeyId(key.keyId)} is in use now. ${whereItLies(path)}`, first ? FIRST : AGAIN, ''].join('\n'));
    return EXIT.passed;
  });
}

const FIRST = 'Write its id down elsewhere: whoever verifies with "ledger verify --key ID" trusts no other beginning.';
const AGAIN = 'No earlier key vouches for it: whoever verifies must name it with --key, besides the first one.';

export async function keysRotateCommand(options: NewKeyArguments, streams: Streams): Promise<ExitCode> {
  const context = signingContext(options.state, streams);
  return withLedger(context, async (ledger) => {
    const { old, key, path } = await rotateKey(ledger, context, await newKey(options, context), options.reason ?? 'Rotated.');
    await print(streams.stdout, `${key.keyId}\n`);
    await print(streams.stderr, `Key ${shortKeyId(key.keyId)} took over from ${shortKeyId(old.keyId)}. ${whereItLies(path)}\n`);
    return EXIT.passed;
  });
}

export async function keysRevokeCommand(keyId: string, options: KeysArguments & { reason: string }, streams: Streams): Promise<ExitCode> {
  const context = signingContext(options.state, streams);
  return withLedger(context, async (ledger) => {
    const { seq } = await revokeKey(ledger, context, keyId, options.reason);
    const left = keyInUse(ledger);
    await print(streams.stderr, `Revoked with entry ${seq}: what this key signed before stays valid, nothing after it does.\n`);
    if (!left) await print(streams.stderr, 'No key is in use any more: what is stored now is not signed. "snapproof keys init" makes a new one.\n');
    return EXIT.passed;
  });
}

/** Only reads. */
export async function keysListCommand(options: KeysArguments & { json?: boolean | undefined }, streams: Streams): Promise<ExitCode> {
  const folder = stateFolder(options.state);
  const ledger = readLedger(folder);
  const keys = ledger ? await listed(ledger, folder) : [];
  if (options.json) await writeDocument({ schema: 'snapproof.keys/v1', keys }, streams.stdout);
  else if (keys.length === 0) await print(streams.stderr, 'There is no key: what is stored is not signed. "snapproof keys init" makes one.\n');
  else await print(streams.stdout, render(keys));
  return EXIT.passed;
}

interface ListedKey extends KeyState {
  inUse: boolean;
  /** The private key lies in the state folder. */
  hasFile: boolean;
}

async function listed(ledger: Ledger, folder: string): Promise<ListedKey[]> {
  try {
    const inUse = keyInUse(ledger)?.keyId;
    const { keys } = await checkLedgerSignatures(ledger, undefined, undefined, 'key');
    return keys.map((key) => ({ ...key, inUse: key.keyId === inUse, hasFile: hasKeyFile(folder, key.keyId) }));
  } finally {
    ledger.close();
  }
}

function render(keys: ListedKey[]): string {
  const rows = keys.map((key) => [
    key.keyId,
    key.inUse ? `in use${key.standing === 'unvouched' ? ', unvouched' : ''}` : key.standing,
    String(key.addedSeq),
    key.endSeq === null ? '' : String(key.endSeq),
    key.hasFile ? 'here' : 'elsewhere',
    visible(key.reason),
  ]);
  return `${table([['KEY', 'STANDING', 'SINCE ENTRY', 'UNTIL ENTRY', 'PRIVATE KEY', 'WHY'], ...rows], [2, 3]).join('\n')}\n`;
}

async function newKey({ passphrase, publicKey }: NewKeyArguments, context: SigningContext): Promise<NewKey> {
  if (publicKey !== undefined) return { passphrase: null, publicKey: publicKeyFile(publicKey) };
  const encrypt = passphrase || Boolean(context.env[PASSPHRASE_VARIABLE]);
  return { passphrase: encrypt ? await newPassphrase(context.passphrase) : null, publicKey: null };
}

function whereItLies(path: string | null): string {
  return path === null ? 'The signing command has its private half.' : `Its private half lies in ${visible(path)}: keep a copy where the ledger is not.`;
}

async function withLedger<T>(context: SigningContext, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = openLedger(context.stateFolder);
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}
