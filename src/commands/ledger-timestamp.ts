/** `snapproof ledger timestamp`: lets an authority outside sign the head of the chain with its time, and stores that. */
import { accessSync, constants } from 'node:fs';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { type Authority, authorityAt, authorityOf, requestTimestamp } from '../evidence/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { openRecording, type RecordingArguments } from './recording.js';
import { print, type Streams } from './streams.js';

export interface LedgerTimestampArguments extends RecordingArguments {
  tsa?: string | undefined;
  /** A program and its arguments. */
  tsaCommand?: string[] | undefined;
  tsaCa: string;
  json?: boolean | undefined;
}

/** @throws UsageError; LedgerError when the ledger is empty, or there is no time stamp to be had */
export async function ledgerTimestampCommand(options: LedgerTimestampArguments, streams: Streams): Promise<ExitCode> {
  const authority = toAuthority(options);
  mustRead(options.tsaCa);
  const recorder = await openRecording(options, streams);
  try {
    const head = recorder.ledger.head();
    if (head.count === 0)
      throw new UsageError({ code: 'usage.timestamp', message: `The ledger ${recorder.ledger.path} is empty: there is nothing to put a time stamp on.` });
    const document = await requestTimestamp(head, authority, options.tsaCa);
    const { seq } = await recorder.append(document);
    if (options.json) await writeDocument(document, streams.stdout);
    else
      await print(streams.stdout, `Entry ${document.headSeq} existed at ${document.genTime}, says ${visible(document.authority)}: stored as entry ${seq}.\n`);
    return EXIT.passed;
  } finally {
    recorder.close();
  }
}

function toAuthority({ tsa, tsaCommand }: LedgerTimestampArguments): Authority {
  if (tsa !== undefined && !tsaCommand?.length) return authorityAt(tsa);
  if (tsa === undefined && tsaCommand?.length) return authorityOf(tsaCommand);
  throw new UsageError({ code: 'usage.tsa', message: 'Name the authority either with --tsa URL or with --tsa-command PROGRAM [ARGUMENT...].' });
}

function mustRead(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw new UsageError({ code: 'usage.tsaCa', message: `The certificates ${path} cannot be read: ${(cause as Error).message}`, cause });
  }
}
