/** `snapproof ledger verify`: whether every record is as it was written, and if not, which one is not. */
import { EXIT, type ExitCode, LedgerError } from '../errors.js';
import { type LedgerVerification, ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { palette, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { wrap } from '../reporters/text.js';
import { count } from '../reporters/units.js';
import { print, type Streams, widthOf } from './streams.js';

export interface LedgerVerifyArguments {
  state?: string | undefined;
  /** Hash of a head that was printed earlier: it must still be one of the chain. */
  head?: string | undefined;
  json?: boolean | undefined;
}

const MOST_SHOWN = 50;

/** Exit code 5 when it does not verify. @throws LedgerError when there is no ledger, or it cannot be read. */
export async function ledgerVerifyCommand(options: LedgerVerifyArguments, streams: Streams): Promise<ExitCode> {
  const path = ledgerPath(stateFolder(options.state));
  const verification = verify(options, path);
  if (options.json) await writeDocument({ schema: 'snapproof.ledger-verification/v1', ledger: path, ...verification }, streams.stdout);
  else await print(streams.stdout, render(verification, path, widthOf(streams.stdout), wantsColour(streams.stdout)));
  return verification.ok ? EXIT.passed : EXIT.ledger;
}

function verify(options: LedgerVerifyArguments, path: string): LedgerVerification {
  const ledger = readLedger(stateFolder(options.state));
  if (!ledger) throw missing(path);
  try {
    const verification = ledger.verify();
    if (options.head === undefined || ledger.holds(options.head)) return verification;
    const message = `No entry has the hash ${options.head}, though it was a head of this ledger: the file was put back to an older state, or replaced.`;
    return { ...verification, ok: false, problems: [...verification.problems, { seq: null, recordId: null, kind: 'head', message }] };
  } finally {
    ledger.close();
  }
}

function missing(path: string): LedgerError {
  return new LedgerError({
    code: 'ledger.missing',
    message: `There is no ledger ${path}, so there is nothing that could verify.`,
    advice: 'Name the folder of the ledger with --state. If there was one here, it was removed.',
  });
}

function render({ ok, count: entries, head, problems }: LedgerVerification, path: string, width: number, colour: boolean): string {
  const paint = palette(colour);
  const where = visible(path);
  const verdict = ok
    ? [paint.bold.green('VERIFIED'), ...wrap(`The ledger ${where} holds ${count(entries, 'entry', 'entries')}, each as it was written.`, { width })]
    : [paint.bold.red('DOES NOT VERIFY'), ...wrap(`The ledger ${where} holds ${count(entries, 'entry', 'entries')}, and something was done to it:`, { width })];
  const shown = problems.slice(0, MOST_SHOWN).flatMap(({ kind, message }) => wrap(visible(message), { width, first: `  ${kind.padEnd(10)} ` }));
  const more = problems.length > MOST_SHOWN ? [`  and ${problems.length - MOST_SHOWN} more (--json lists them)`] : [];
  const chain = [`Head: entry ${head.count}${head.recordId ? `, record ${visible(head.recordId)}` : ''}`, `      ${head.hash}`];
  return `${[...verdict, ...shown, ...more, '', ...chain, ...wrap(ok ? KEEP_HEAD : KEEP_EVIDENCE, { width })].join('\n')}\n`;
}

const KEEP_HEAD = 'Keep this head somewhere else: only "ledger verify --head HASH" shows when the whole file was put back to an older state.';
const KEEP_EVIDENCE = 'Keep the file as evidence. Compare it with a backup of the ledger, and do not rely on the records named above.';
