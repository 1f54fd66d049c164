/** `snapproof ledger export`: a part of the ledger as an archive that can be verified without it. */
import { resolve } from 'node:path';
import { EXIT, type ExitCode, SnapproofError } from '../errors.js';
import { boundOf, exportArchive, openSigner, type Signer, shortKeyId } from '../evidence/index.js';
import type { Ledger } from '../ledger/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { count } from '../reporters/units.js';
import { withLedger } from './ledger.js';
import { problemText } from './problems.js';
import { type RecordingArguments, signingContext } from './recording.js';
import { print, type Streams } from './streams.js';

export interface LedgerExportArguments extends RecordingArguments {
  from?: string | undefined;
  to?: string | undefined;
  machine?: string | undefined;
  out: string;
  json?: boolean | undefined;
}

/** @throws UsageError for wrong times or a file that exists; LedgerError when the ledger does not verify */
export async function ledgerExportCommand(options: LedgerExportArguments, streams: Streams): Promise<ExitCode> {
  const selection = { from: boundOf(options.from, '--from'), to: boundOf(options.to, '--to'), machine: options.machine ?? null };
  return withLedger(options.state, async (ledger) => {
    const signer = await findSigner(ledger, options, streams);
    const { stateFolder } = signingContext(options.state, streams);
    const manifest = await exportArchive(ledger, { stateFolder, selection, out: resolve(options.out), signer });
    if (options.json) await writeDocument(manifest, streams.stdout);
    else {
      const sealed = signer
        ? ` The archive as a whole is signed with the key ${shortKeyId(signer.publicKey.keyId)}.`
        : ' The archive as a whole is not signed.';
      await print(streams.stdout, `${visible(options.out)} holds ${count(manifest.documents.length, 'document')} of ${manifest.head.count}.${sealed}\n`);
      if (manifest.missingArtefacts.length > 0)
        await print(
          streams.stderr,
          `${count(manifest.missingArtefacts.length, 'artefact')} that records name are no longer in the state folder; the archive says so.\n`,
        );
    }
    return EXIT.passed;
  });
}

/** An archive without a signature of its own is still evidence: its documents have theirs. */
async function findSigner(ledger: Ledger, options: LedgerExportArguments, streams: Streams): Promise<Signer | null> {
  try {
    return await openSigner(ledger, signingContext(options.state, streams));
  } catch (error) {
    if (options.requireSignature || !(error instanceof SnapproofError)) throw error;
    streams.stderr.write(problemText(error));
    return null;
  }
}
