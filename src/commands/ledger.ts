/** `snapproof ledger verify`: whether every document is as it was written, and if not, which one is not; and whose signatures count. */
import { EXIT, type ExitCode, LedgerError } from '../errors.js';
import { anchorsOf, checkLedgerSignatures, checkLedgerTimestamps, type SignatureReport, type TimestampReport } from '../evidence/index.js';
import { type Ledger, type LedgerVerification, ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { palette, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { wrap } from '../reporters/text.js';
import { count } from '../reporters/units.js';
import { signatureLines, timestampLines } from './signature-words.js';
import { print, type Streams, widthOf } from './streams.js';

export interface LedgerVerifyArguments {
  state?: string | undefined;
  /** Hash of a head that was printed earlier: it must still be one of the chain. */
  head?: string | undefined;
  /** Ids or files of public keys: trust begins with them alone. */
  key?: string[] | undefined;
  /** What has no signature that counts does not verify. */
  requireSignature?: boolean | undefined;
  /** Certificates of authorities for time stamps. */
  tsaCa?: string | undefined;
  json?: boolean | undefined;
}

export interface WholeVerification extends LedgerVerification {
  signatures: SignatureReport;
  timestamps: TimestampReport;
}

const MOST_SHOWN = 50;

/** Exit code 5 when it does not verify. @throws LedgerError when there is no ledger, or it cannot be read. */
export async function ledgerVerifyCommand(options: LedgerVerifyArguments, streams: Streams): Promise<ExitCode> {
  const path = ledgerPath(stateFolder(options.state));
  const verification = await withLedger(options.state, (ledger) => verify(ledger, options));
  if (options.json) await writeDocument({ schema: 'snapproof.ledger-verification/v1', ledger: path, ...verification }, streams.stdout);
  else await print(streams.stdout, render(verification, path, widthOf(streams.stdout), wantsColour(streams.stdout)));
  return verification.ok ? EXIT.passed : EXIT.ledger;
}

/** Opens the ledger to read it. @throws LedgerError when there is none */
export async function withLedger<T>(state: string | undefined, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = readLedger(stateFolder(state));
  if (!ledger) throw noLedger(ledgerPath(stateFolder(state)));
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}

async function verify(ledger: Ledger, { head, key, requireSignature, tsaCa }: LedgerVerifyArguments): Promise<WholeVerification> {
  const anchors = anchorsOf(key ?? []);
  const verification = ledger.verify();
  const missing = head === undefined || ledger.holds(head) ? [] : [headMissing(head)];
  const problems = [...verification.problems, ...missing, ...ledger.checkFile().map(fileProblem)];
  const signatures = await checkLedgerSignatures(ledger, anchors);
  const timestamps = await checkLedgerTimestamps(ledger, tsaCa ?? null);
  const enough = isEnough(signatures, { named: (key ?? []).length > 0, all: requireSignature ?? false });
  const ok = enough && [problems, signatures.problems, timestamps.problems].every((list) => list.length === 0);
  return { ...verification, problems, ok, signatures, timestamps };
}

/** Whoever names a key expects it to have signed something: a ledger from which all signatures were taken must not pass. */
export function isEnough({ signed, unsigned }: SignatureReport, { named, all }: { named: boolean; all: boolean }): boolean {
  return (!named || signed > 0 || unsigned === 0) && (!all || unsigned === 0);
}

function headMissing(head: string): LedgerVerification['problems'][number] {
  const message = `No entry has the hash ${head}, though it was a head of this ledger: the file was put back to an older state, or replaced.`;
  return { seq: null, recordId: null, kind: 'head', message };
}

function fileProblem(message: string): LedgerVerification['problems'][number] {
  return { seq: null, recordId: null, kind: 'file', message };
}

function noLedger(path: string): LedgerError {
  return new LedgerError({
    code: 'ledger.missing',
    message: `There is no ledger ${path}, so there is nothing that could verify.`,
    advice: 'Name the folder of the ledger with --state. If there was one here, it was removed.',
  });
}

function render(verification: WholeVerification, path: string, width: number, colour: boolean): string {
  const { ok, head, signatures, timestamps } = verification;
  const chain = [`Head: entry ${head.count}${head.recordId ? `, record ${visible(head.recordId)}` : ''}`, `      ${head.hash}`];
  const parts = [
    ...verdictLines(verification, path, width, colour),
    '',
    ...signatureLines(signatures, width),
    ...timestampLines(timestamps, width),
    '',
    ...chain,
  ];
  return `${[...parts, ...wrap(ok ? KEEP_HEAD : KEEP_EVIDENCE, { width })].join('\n')}\n`;
}

function verdictLines({ ok, count: entries, problems }: WholeVerification, path: string, width: number, colour: boolean): string[] {
  const paint = palette(colour);
  const held = `The ledger ${visible(path)} holds ${count(entries, 'entry', 'entries')}`;
  const state = problems.length > 0 ? `${held}, and something was done to it:` : `${held}, each as it was written.`;
  const shown = problems.slice(0, MOST_SHOWN).flatMap(({ kind, message }) => wrap(visible(message), { width, first: `  ${kind.padEnd(10)} ` }));
  const more = problems.length > MOST_SHOWN ? [`  and ${problems.length - MOST_SHOWN} more (--json lists them)`] : [];
  return [ok ? paint.bold.green('VERIFIED') : paint.bold.red('DOES NOT VERIFY'), ...wrap(state, { width }), ...shown, ...more];
}

const KEEP_HEAD = 'Keep this head somewhere else: only "ledger verify --head HASH" shows when the whole file was put back to an older state.';
const KEEP_EVIDENCE = 'Keep the file as evidence. Compare it with a backup of the ledger, and do not rely on the records named above.';
