/** What commands that store documents have in common: the key and its passphrase, and where trouble with it is told. */
import { openRecorder, type Recorder, type SigningContext } from '../evidence/index.js';
import { stateFolder } from '../ledger/index.js';
import { passphraseFrom } from './passphrase.js';
import { problemText } from './problems.js';
import type { Streams } from './streams.js';

export interface RecordingArguments {
  state?: string | undefined;
  requireSignature?: boolean | undefined;
}

export function signingContext(state: string | undefined, streams: Streams): SigningContext {
  return { stateFolder: stateFolder(state), env: process.env, passphrase: passphraseFrom(process.env, process.stdin, streams.stderr) };
}

/** @throws LedgerError when the ledger cannot be opened, or a signature is required and there is none to be had */
export function openRecording({ state, requireSignature }: RecordingArguments, streams: Streams): Promise<Recorder> {
  return openRecorder({
    ...signingContext(state, streams),
    requireSignature: requireSignature ?? false,
    tell: (trouble) => {
      streams.stderr.write(`${problemText(trouble)}What is stored now is not signed. "snapproof attest" signs it later.\n`);
    },
  });
}
