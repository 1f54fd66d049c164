/** `snapproof report`: a record or a drill of the ledger in another form. Only reads the ledger. */
import { join } from 'node:path';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { ARTEFACT_FOLDER, isKind, type Ledger, ledgerPath, readLedger, type Stored, stateFolder } from '../ledger/index.js';
import { wantsColour } from '../reporters/colour.js';
import type { Dossier } from '../reporters/dossier.js';
import { visible } from '../reporters/escape.js';
import { FORMATS, type Format, formatOfFile, render } from '../reporters/formats.js';
import { gatherDrill, gatherRecord } from './report/gather.js';
import { isFolder, writeReport } from './report/out.js';
import { type Library, settingOf } from './report/setting.js';
import { print, type Streams, widthOf } from './streams.js';

export interface ReportArguments {
  id?: string | undefined;
  latest?: boolean | undefined;
  machine?: string | undefined;
  format?: string | undefined;
  out?: string | undefined;
  controls?: string[] | undefined;
  state?: string | undefined;
}

/** @throws UsageError for wrong arguments or an id that is not there, LedgerError when the ledger cannot be read. */
export async function reportCommand(args: ReportArguments, library: Library, streams: Streams): Promise<ExitCode> {
  const format = formatOf(args);
  const setting = settingOf(library, args.controls);
  const folder = stateFolder(args.state);
  const ledger = readLedger(folder);
  if (!ledger) throw missing(args, `There is no ledger ${ledgerPath(folder)} yet`);
  try {
    const stored = wanted(args, ledger);
    const dossier = await gather(ledger, stored, join(folder, ARTEFACT_FOLDER));
    const toFile = args.out !== undefined;
    const text = render(dossier, format, setting, toFile ? { color: false } : { color: wantsColour(streams.stdout), width: widthOf(streams.stdout) });
    if (args.out === undefined) await print(streams.stdout, text);
    else await print(streams.stderr, `Wrote ${visible(await writeReport(args.out, dossier, format, text))}\n`);
  } finally {
    ledger.close();
  }
  return EXIT.passed;
}

async function gather(ledger: Ledger, stored: Stored, artefactFolder: string): Promise<Dossier> {
  const { entry, document } = stored;
  if (isKind(document, 'drill')) return gatherDrill(ledger, { entry, document });
  if (isKind(document, 'record')) return gatherRecord(ledger, { entry, document }, artefactFolder);
  throw new UsageError({ code: 'report.kind', message: `${document.id} is neither a record nor a drill, but a ${document.schema}.`, advice: LIST });
}

const LIST = 'snapproof history lists the records.';

/** Text for people, what the file's name says, or a page where a folder is named. */
function formatOf({ format, out }: ReportArguments): Format {
  if (format === undefined) return out === undefined ? 'text' : isFolder(out) ? 'html' : (formatOfFile(out) ?? 'html');
  const known = FORMATS.find((one) => one === format);
  if (known) return known;
  throw new UsageError({ code: 'usage.format', message: `"${format}" is no format.`, advice: `Use one of: ${FORMATS.join(', ')}.` });
}

function wanted(args: ReportArguments, ledger: Ledger): Stored {
  const { id, latest, machine } = args;
  if (id !== undefined && (latest || machine !== undefined)) throw usage('Name one record or drill, or --latest with --machine, not both.');
  if (id !== undefined) return ledger.find(id) ?? fail(missing(args, `The ledger ${ledger.path} holds no document ${id}`));
  if (!latest && machine === undefined) throw usage('Name a record or a drill by its id, or take --latest.');
  const found = machine === undefined ? newest(ledger) : ledger.latestFor(machine);
  return (
    found ??
    fail(missing(args, machine === undefined ? `The ledger ${ledger.path} holds no record` : `The ledger ${ledger.path} holds no record of ${machine}`))
  );
}

function newest(ledger: Ledger): Stored | null {
  const last = (['record', 'drill'] as const).flatMap((kind): Stored[] => ledger.documents({ kind, limit: 1 }));
  return last.sort((a, b) => b.entry.seq - a.entry.seq)[0] ?? null;
}

function fail(error: Error): never {
  throw error;
}

function usage(message: string): UsageError {
  return new UsageError({ code: 'usage.report', message, advice: LIST });
}

function missing({ state }: ReportArguments, message: string): UsageError {
  const advice = `${LIST} ${state === undefined ? 'With --state it reads a ledger in another folder.' : 'See whether --state names the right folder.'}`;
  return new UsageError({ code: 'report.missing', message: `${message}.`, advice });
}
