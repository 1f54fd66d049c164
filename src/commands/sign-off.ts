/** `snapproof sign-off`: a person looked at a record or a drill, and says so. Appended, never edited. */

import type { SignOffDocument } from '../documents.js';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { isKind, type Ledger, newRecordId } from '../ledger/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { openRecording, type RecordingArguments } from './recording.js';
import { print, type Streams } from './streams.js';

export interface SignOffArguments extends RecordingArguments {
  reviewer: string;
  note: string;
  ticket?: string | undefined;
  reject?: boolean | undefined;
  correctiveAction?: string | undefined;
  retest?: string | undefined;
  json?: boolean | undefined;
}

/** @throws UsageError when what it is about is not in the ledger */
export async function signOffCommand(named: string, options: SignOffArguments, streams: Streams): Promise<ExitCode> {
  for (const field of ['reviewer', 'note'] as const) if (options[field].trim() === '') throw empty(field);
  const recorder = await openRecording(options, streams);
  try {
    const about = idOf(recorder.ledger, named, ['record', 'drill']);
    const retest = options.retest === undefined ? null : idOf(recorder.ledger, options.retest, ['record']);
    const document = signOff(about, retest, options, new Date());
    const { seq } = await recorder.append(document);
    if (options.json) await writeDocument(document, streams.stdout);
    else
      await print(streams.stdout, `${document.decision === 'accepted' ? 'Accepted' : 'Rejected'} ${visible(about)}: entry ${seq}, sign-off ${document.id}.\n`);
    return EXIT.passed;
  } finally {
    recorder.close();
  }
}

function signOff(about: string, retest: string | null, { reviewer, note, ticket, reject, correctiveAction }: SignOffArguments, now: Date): SignOffDocument {
  return {
    schema: 'snapproof.sign-off/v1',
    id: `sign-off-${newRecordId(now)}`,
    about,
    reviewer,
    at: now.toISOString(),
    decision: reject ? 'rejected' : 'accepted',
    note,
    ticket: ticket ?? null,
    correctiveAction: correctiveAction ?? null,
    retest,
  };
}

/** By its id, or by the number of its entry as `history` shows it. */
function idOf(ledger: Ledger, named: string, kinds: ('record' | 'drill')[]): string {
  const found = /^\d{1,15}$/.test(named) ? ledger.at(Number(named)) : ledger.find(named);
  if (found && kinds.some((kind) => isKind(found.document, kind))) return found.document.id;
  throw new UsageError({
    code: 'usage.signOff',
    message: `The ledger ${ledger.path} has no ${kinds.join(' or ')} ${named}. Nothing was appended.`,
    advice: '"snapproof history" lists records; "snapproof history --kind drill" lists drills.',
  });
}

function empty(field: string): UsageError {
  return new UsageError({ code: 'usage.signOff', message: `--${field} is empty. A sign-off says who looked and what they found.` });
}
