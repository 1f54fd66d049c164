/** `snapproof attest`: signs what is unsigned, and says what it did. */
import { EXIT, type ExitCode, LedgerError } from '../errors.js';
import { type Attested, attest, shortKeyId } from '../evidence/index.js';
import { openLedger } from '../ledger/index.js';
import { writeDocument } from '../reporters/json.js';
import { count } from '../reporters/units.js';
import { signingContext } from './recording.js';
import { print, type Streams } from './streams.js';

export interface AttestArguments {
  state?: string | undefined;
  json?: boolean | undefined;
}

/** @throws LedgerError when the ledger does not verify, or nothing can be signed */
export async function attestCommand(options: AttestArguments, streams: Streams): Promise<ExitCode> {
  const context = signingContext(options.state, streams);
  const ledger = openLedger(context.stateFolder);
  try {
    const attested = await attest(ledger, context);
    if (options.json) await writeDocument({ schema: 'snapproof.attested/v1', ledger: ledger.path, ...attested }, streams.stdout);
    else await print(streams.stdout, render(attested));
    if (attested.spoiled.length > 0) throw spoiled(attested);
    return EXIT.passed;
  } finally {
    ledger.close();
  }
}

function render({ keyId, signed, before }: Attested): string {
  const had = `${count(before, 'document')} had a signature that counts.`;
  if (signed.length === 0) return `Nothing to sign. ${had}\n`;
  return `Signed ${count(signed.length, 'document')} (${ranges(signed)}) with the key ${shortKeyId(keyId)}. ${had}\n`;
}

/** `entries 1 to 3, 7`. */
export function ranges(numbers: number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  const shown = runs.slice(0, 20).map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`));
  return `${numbers.length === 1 ? 'entry' : 'entries'} ${shown.join(', ')}${runs.length > 20 ? ', and more' : ''}`;
}

function spoiled({ spoiled: seqs }: Attested): LedgerError {
  return new LedgerError({
    code: 'evidence.spoiled',
    message: `A signature that the key in use made does not hold: ${ranges(seqs)}. It was left as it is.`,
    advice: 'Run "snapproof ledger verify" to see why. After "snapproof keys rotate" the new key can sign these documents.',
  });
}
