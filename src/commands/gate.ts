/** `snapproof gate`: opens (exit code 0) only for what a record in the ledger proves, and says what is missing otherwise. */
import type { ExitCode } from '../errors.js';
import { anchorsOf } from '../evidence/index.js';
import { ask } from '../gate/ask.js';
import type { Decision } from '../gate/decide.js';
import { EXIT_OF_ANSWER, type GateDocument, gateDocument } from '../gate/document.js';
import { type RequirementOptions, toRequirements } from '../gate/requirements.js';
import { signatureJudge } from '../gate/signature.js';
import { type Subject, subjectOf } from '../gate/subject.js';
import { type Ledger, ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { installSignalHandlers } from '../process/signals.js';
import { palette, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { openProgress } from '../reporters/progress.js';
import { wrap } from '../reporters/text.js';
import { formatInstant } from '../reporters/units.js';
import { print, type Streams, widthOf } from './streams.js';

export interface GateArguments extends RequirementOptions {
  target: string;
  trustDigest?: boolean | undefined;
  allowFolder?: string[] | undefined;
  verifyLedger?: boolean | undefined;
  state?: string | undefined;
  json?: boolean | undefined;
  /** For tests; default: the clock of the host. */
  now?: Date;
}

/** @returns 0 proven, 1 missing or failed, 3 inconclusive, 5 the ledger does not verify. @throws SnapproofError */
export async function gateCommand(args: GateArguments, streams: Streams): Promise<ExitCode> {
  const requirements = toRequirements(args);
  const folder = stateFolder(args.state);
  const anchors = anchorsOf(args.key === undefined ? [] : [args.key]);
  const subject = await readSubject(args, streams);
  const now = args.now ?? new Date();
  const decision = await withLedger(folder, (ledger) => {
    const question = { ledger, requirements, signature: signatureJudge(ledger, anchors), now };
    return brokenLedger(ledger, args) ?? ask(subject, question);
  });
  const document = gateDocument(args.target, subject, decision, { requirements, ledger: ledgerPath(folder), now });
  if (args.json) await writeDocument(document, streams.stdout);
  else await print(streams.stdout, renderGate(document, widthOf(streams.stdout), wantsColour(streams.stdout)));
  return EXIT_OF_ANSWER[decision.answer];
}

async function readSubject(args: GateArguments, streams: Streams): Promise<Subject> {
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  const progress = openProgress([{ name: 'digest', title: 'Reading the files' }], streams.stderr as NodeJS.WriteStream);
  const read = (): Promise<Subject> =>
    subjectOf(args.target, { trustDigest: args.trustDigest ?? false, allowedFolders: args.allowFolder ?? [], signal: abort.signal, progress: progress.sink });
  try {
    // Only a terminal is told of progress: a hook's log wants the answer alone.
    return await (streams.stderr.isTTY ? progress.stage('digest', read) : read());
  } finally {
    await progress.finish();
    uninstall();
  }
}

/** Without a ledger nothing was ever verified: that is a missing proof. */
async function withLedger(folder: string, work: (ledger: Ledger) => Decision | Promise<Decision>): Promise<Decision> {
  const ledger = readLedger(folder);
  if (!ledger) {
    const message = `There is no ledger ${ledgerPath(folder)}: nothing was verified with this state folder.`;
    return { answer: 'missing', record: null, missing: [{ code: 'no-ledger', message }], notes: [] };
  }
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}

/** Only on demand: it reads every entry. The entries that an answer relies on are always verified. */
function brokenLedger(ledger: Ledger, { verifyLedger }: GateArguments): Decision | null {
  if (!verifyLedger) return null;
  const { ok, problems } = ledger.verify();
  if (ok) return null;
  return { answer: 'broken', record: null, missing: problems.slice(0, 20).map(({ message }) => ({ code: 'ledger', message })), notes: [] };
}

const HEADLINE: Record<GateDocument['answer'], string> = {
  proven: 'PROVEN',
  missing: 'NOT PROVEN',
  failed: 'FAILED',
  inconclusive: 'INCONCLUSIVE',
  broken: 'LEDGER DOES NOT VERIFY',
};

function renderGate(document: GateDocument, width: number, colour: boolean): string {
  const paint = palette(colour);
  const { answer, subject, record, missing, notes } = document;
  const style = answer === 'proven' ? paint.bold.green : answer === 'inconclusive' ? paint.bold.yellow : paint.bold.red;
  const lines = [`${style(HEADLINE[answer])}  ${visible(subject.target)}`];
  for (const { message } of missing) lines.push(...wrap(visible(message), { width, first: '  ' }));
  if (record) lines.push(...wrap(visible(recordSentence(record)), { width, first: '  ' }));
  for (const note of notes) lines.push(...wrap(visible(note), { width, first: '  ' }));
  return `${lines.join('\n')}\n`;
}

function recordSentence(record: NonNullable<GateDocument['record']>): string {
  const taken = record.takenAt === null ? 'taken at an unknown time' : `taken ${formatInstant(record.takenAt)}`;
  return `Record ${record.id} (entry ${record.seq}): machine ${record.machine}, ${taken}, ${record.verdict} ${formatInstant(record.startedAt)}, depth ${record.depth ?? 'unknown'}, consistency ${record.consistency}.`;
}
