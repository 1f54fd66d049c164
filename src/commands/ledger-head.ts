/** `snapproof ledger head`: the end of the chain, to be kept elsewhere; `--paper` as text for a folder on a shelf. */
import { EXIT, type ExitCode } from '../errors.js';
import { keyInUse, paperHead } from '../evidence/index.js';
import { writeDocument } from '../reporters/json.js';
import { withLedger } from './ledger.js';
import { print, type Streams } from './streams.js';

export interface LedgerHeadArguments {
  state?: string | undefined;
  paper?: boolean | undefined;
  json?: boolean | undefined;
}

export function ledgerHeadCommand(options: LedgerHeadArguments, streams: Streams): Promise<ExitCode> {
  return withLedger(options.state, async (ledger) => {
    const head = ledger.head();
    const appendedAt = ledger.at(head.count)?.entry.appendedAt ?? null;
    const keyId = keyInUse(ledger)?.keyId ?? null;
    if (options.json) await writeDocument({ schema: 'snapproof.ledger-head/v1', ledger: ledger.path, ...head, appendedAt, keyId }, streams.stdout);
    else await print(streams.stdout, options.paper ? paperHead(head, { appendedAt, keyId, printedAt: new Date() }) : `${head.hash}\n`);
    return EXIT.passed;
  });
}
