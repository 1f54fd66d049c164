/** `snapproof status`: for monitoring. Reads only the ledger. Its exit codes are those of monitoring plugins: 0 OK, 1 warning, 2 critical, 3 unknown. */
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EXIT, type ExitCode, LabError, LedgerError, SnapproofError, UsageError } from '../errors.js';
import { parseDuration } from '../gate/duration.js';
import { collectStatus, type JudgedStatus, judgeStatus, type Limits } from '../gate/status.js';
import { ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { NAGIOS_EXIT, renderNagios, renderUnknown, worstOf } from './status/nagios.js';
import { renderPrometheus } from './status/prometheus.js';
import { print, type Streams } from './streams.js';

export interface StatusArguments {
  machine?: string | undefined;
  warn?: string | undefined;
  critical?: string | undefined;
  format?: string | undefined;
  textfile?: string | undefined;
  state?: string | undefined;
  /** For tests; default: the clock of the host. */
  now?: Date;
}

interface Status {
  machines: JudgedStatus[];
  ledgerEntries: number;
}

/** What cannot be told is "unknown" (3) for a plugin; for Prometheus it is an error, so that the old file stays and grows old visibly. */
export async function statusCommand(args: StatusArguments, streams: Streams): Promise<ExitCode> {
  if (args.format === 'prometheus' || args.textfile !== undefined) return writePrometheus(args, streams);
  try {
    const limits = toLimits(args);
    const { machines } = await readStatus(args, limits);
    await print(streams.stdout, renderNagios(machines, limits));
    return NAGIOS_EXIT[worstOf(machines)];
  } catch (error) {
    if (!(error instanceof SnapproofError)) throw error;
    await print(streams.stdout, renderUnknown([error.message, error.advice].filter(Boolean).join(' ')));
    return NAGIOS_EXIT.unknown;
  }
}

async function writePrometheus(args: StatusArguments, streams: Streams): Promise<ExitCode> {
  const { machines, ledgerEntries } = await readStatus(args, toLimits(args));
  const text = renderPrometheus(machines, ledgerEntries);
  if (args.textfile === undefined) await print(streams.stdout, text);
  else await replaceFile(args.textfile, text);
  return EXIT.passed;
}

async function readStatus({ state, machine, now }: StatusArguments, limits: Limits): Promise<Status> {
  const folder = stateFolder(state);
  const ledger = readLedger(folder);
  if (!ledger)
    throw new LedgerError({
      code: 'ledger.missing',
      message: `There is no ledger ${ledgerPath(folder)}.`,
      advice: 'Name the folder of the ledger with --state.',
    });
  try {
    const found = await collectStatus(ledger, machine ?? null);
    if (found.length === 0)
      throw new LedgerError({
        code: 'status.none',
        message: machine === undefined ? 'The ledger holds no record yet.' : `The ledger holds no record of a machine ${machine}.`,
      });
    const moment = now ?? new Date();
    return { machines: found.map((status) => judgeStatus(status, limits, moment)), ledgerEntries: ledger.head().count };
  } finally {
    ledger.close();
  }
}

function toLimits({ warn, critical }: StatusArguments): Limits {
  const limits = { warnMs: parseDuration(warn ?? '2d', '--warn'), criticalMs: parseDuration(critical ?? '7d', '--critical') };
  if (limits.warnMs <= limits.criticalMs) return limits;
  throw new UsageError({ code: 'usage.limits', message: 'A warning (--warn) must come no later than what is critical (--critical).' });
}

/** The collector reads whenever it likes, so the file is there whole or not at all; it only reads names that end in .prom. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  try {
    await writeFile(draft, text, { mode: 0o644 });
    await rename(draft, path);
  } catch (cause) {
    throw new LabError({
      code: 'status.textfile',
      message: `${path} cannot be written: ${(cause as Error).message}`,
      advice: 'The folder must be there, and writable.',
      cause,
    });
  } finally {
    await rm(draft, { force: true });
  }
}
