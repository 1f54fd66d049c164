/** `snapproof ledger verify ARCHIVE`: an archive of evidence, without the ledger that it came from. */
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { type ArchiveVerification, anchorsOf, shortKeyId, verifyArchive } from '../evidence/index.js';
import { palette, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { wrap } from '../reporters/text.js';
import { count } from '../reporters/units.js';
import { isEnough } from './ledger.js';
import { signatureLines } from './signature-words.js';
import { print, type Streams, widthOf } from './streams.js';

export interface ArchiveVerifyArguments {
  key?: string[] | undefined;
  requireSignature?: boolean | undefined;
  /** Hash of a head that was printed earlier. */
  head?: string | undefined;
  /** Certificates of authorities for time stamps. */
  tsaCa?: string | undefined;
  json?: boolean | undefined;
}

const MOST_SHOWN = 50;

/** Exit code 5 when it does not verify. @throws UsageError when it cannot be read */
export async function archiveVerifyCommand(path: string, options: ArchiveVerifyArguments, streams: Streams): Promise<ExitCode> {
  const found = await read(path, options);
  const problems = [...found.problems, ...demands(found, options)];
  const verification = { ...found, problems, ok: found.ok && problems.length === 0 };
  if (options.json) await writeDocument({ schema: 'snapproof.archive-verification/v1', archive: path, ...verification }, streams.stdout);
  else await print(streams.stdout, render(verification, path, widthOf(streams.stdout), wantsColour(streams.stdout), (options.key ?? []).length > 0));
  return verification.ok ? EXIT.passed : EXIT.ledger;
}

async function read(path: string, { key, head, tsaCa }: ArchiveVerifyArguments): Promise<ArchiveVerification> {
  const anchors = anchorsOf(key ?? []);
  try {
    return await verifyArchive(path, anchors, { head, tsaCa });
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).code !== 'string') throw cause;
    throw new UsageError({ code: 'usage.archive', message: `${path} cannot be read: ${(cause as Error).message}`, cause });
  }
}

function demands({ signatures, sealedBy }: ArchiveVerification, { requireSignature, key }: ArchiveVerifyArguments): string[] {
  const unsigned = requireSignature && signatures.unsigned > 0 ? [`${count(signatures.unsigned, 'document')} without a signature that counts.`] : [];
  const none = isEnough(signatures, { named: (key ?? []).length > 0, all: false }) ? [] : ['No document is signed with a key that was named.'];
  const unsealed = requireSignature && sealedBy === null ? ['The archive as a whole is not signed.'] : [];
  return [...none, ...unsigned, ...unsealed];
}

function render(found: ArchiveVerification, path: string, width: number, colour: boolean, named: boolean): string {
  const paint = palette(colour);
  const held = `The archive ${visible(path)} holds ${count(found.files, 'file')}: ${count(found.documents, 'document')}, ${count(found.artefacts, 'artefact')}, ${count(found.timestamps, 'time stamp')}.`;
  const shown = found.problems.slice(0, MOST_SHOWN).flatMap((message) => wrap(visible(message), { width, first: '  ' }));
  const more = found.problems.length > MOST_SHOWN ? [`  and ${found.problems.length - MOST_SHOWN} more (--json lists them)`] : [];
  return `${[
    found.ok ? paint.bold.green('VERIFIED') : paint.bold.red('DOES NOT VERIFY'),
    ...wrap(held, { width }),
    ...shown,
    ...more,
    '',
    ...selectionLines(found, width),
    ...signatureLines(found.signatures, width),
    ...wrap(
      found.sealedBy
        ? `The archive as a whole is signed with the key ${shortKeyId(found.sealedBy)}.`
        : 'The archive as a whole is not signed: something may have been left out.',
      { width },
    ),
    ...(named ? [] : wrap(FIRST_KEY, { width })),
    '',
    `Head: entry ${found.head.count}`,
    `      ${found.head.hash}`,
  ].join('\n')}\n`;
}

const FIRST_KEY = 'Trust begins here with the first key in the archive itself: compare its id with one you were given, or name that with --key.';

function selectionLines({ selection }: ArchiveVerification, width: number): string[] {
  if (!selection) return [];
  const { from, to, machine } = selection;
  const time = from || to ? ` stored ${from ? `from ${visible(from)} ` : ''}${to ? `to ${visible(to)}` : ''}`.trimEnd() : '';
  return wrap(`Chosen: ${machine ? `what is about the machine ${visible(machine)}` : 'everything'}${time}; and all keys and time stamps.`, { width });
}
