/** `snapproof verify`: restore points in, records out; appended to the ledger, then shown. */
import { join } from 'node:path';
import type { Check, EngineFinder } from '../check.js';
import { EXIT, type ExitCode, InterruptedError, UsageError } from '../errors.js';
import { ARTEFACT_FOLDER, stateFolder } from '../ledger/index.js';
import { loadPolicy, type PolicyOverrides } from '../policy/index.js';
import { removeAbandoned } from '../process/clean-up.js';
import { installSignalHandlers } from '../process/signals.js';
import { wantsColour } from '../reporters/colour.js';
import { prepareReportFolder, reportFiles } from '../reporters/files.js';
import { writeRunDocument } from '../reporters/json.js';
import { openProgress } from '../reporters/progress.js';
import { renderSummary } from '../reporters/summary.js';
import { renderRecord } from '../reporters/terminal.js';
import { type RunRequest, verifyRestorePoint } from '../run.js';
import { STAGES } from '../runner/stages.js';
import { loadRestorePoints } from '../sources/index.js';
import type { Depth, VerificationRecord } from '../types.js';
import { KeptErrors } from './problems.js';
import { openRecording } from './recording.js';
import type { Streams } from './streams.js';
import { print, widthOf } from './streams.js';

export interface VerifyArguments {
  paths: string[];
  policy?: string;
  depth?: string;
  only?: string[];
  skip?: string[];
  json?: boolean;
  report?: string;
  state?: string;
  /** What could not be signed is an error. */
  requireSignature?: boolean;
}

export interface Library {
  checks: Check[];
  finders: EngineFinder[];
}

const DEPTHS: readonly Depth[] = ['static', 'recovery', 'boot', 'resume', 'full'];

/**
 * A restore point that cannot be looked at, a ledger or a report that cannot be written: nothing of it costs the results of the rest.
 * @returns 0, 1 or 3 by the worst verdict. @throws SnapproofError with its own exit code, after the results were shown.
 */
export async function verifyCommand(args: VerifyArguments, library: Library, streams: Streams): Promise<ExitCode> {
  const policy = await loadPolicy(args.policy ?? null, overrides(args), library.checks);
  const restorePoints = await loadRestorePoints(args.paths);
  if (args.report !== undefined) await prepareReportFolder(args.report);
  const recorder = await openRecording(args, streams);
  const artefactFolder = join(stateFolder(args.state), ARTEFACT_FOLDER);
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  const errors = new KeptErrors();
  const records: VerificationRecord[] = [];
  try {
    await reportAbandoned(streams);
    for (const restorePoint of restorePoints) {
      const record = await errors.keep(() => verifyOne({ restorePoint, policy, ...library, signal: abort.signal, artefactFolder, drill: null }, streams));
      if (record) {
        records.push(record);
        const entry = await errors.keep(() => recorder.append(record));
        if (!args.json) await errors.keep(() => printRecord(record, entry ? recorder.ledger.path : null, streams));
      } else if (abort.signal.aborted) break;
    }
    await deliver(records, args, recorder.ledger.path, streams, errors);
  } finally {
    uninstall();
    recorder.close();
  }
  errors.throwWorst((text) => streams.stderr.write(text));
  return exitCodeOf(records);
}

/** What belongs to the whole run: report files, the JSON document or the summary. */
async function deliver(records: VerificationRecord[], args: VerifyArguments, storedAt: string, streams: Streams, errors: KeptErrors): Promise<void> {
  if (records.length === 0) return;
  const { report } = args;
  if (report !== undefined) await errors.keep(() => reportFiles(records, report, { storedAt }));
  if (args.json) await errors.keep(() => writeRunDocument(records, streams.stdout));
  else if (records.length > 1) await errors.keep(() => print(streams.stdout, renderSummary(records, appearance(streams))));
}

async function printRecord(record: VerificationRecord, storedAt: string | null, streams: Streams): Promise<void> {
  await print(streams.stdout, renderRecord(record, { ...appearance(streams), ...(storedAt === null ? {} : { storedAt }) }));
}

function appearance({ stdout }: Streams): { color: boolean; width: number } {
  return { color: wantsColour(stdout), width: widthOf(stdout) };
}

async function verifyOne(request: Omit<RunRequest, 'observer'>, streams: Streams): Promise<VerificationRecord> {
  const { signal } = request;
  if (signal.aborted) throw signal.reason instanceof InterruptedError ? signal.reason : new InterruptedError({ code: 'interrupted', message: 'Interrupted.' });
  const progress = openProgress([...STAGES], streams.stderr as NodeJS.WriteStream);
  try {
    return await verifyRestorePoint({ ...request, observer: progress });
  } finally {
    await progress.finish();
  }
}

function overrides(args: VerifyArguments): PolicyOverrides {
  if (args.depth !== undefined && !DEPTHS.includes(args.depth as Depth)) {
    throw new UsageError({ code: 'usage.depth', message: `"${args.depth}" is no depth.`, advice: `Use one of: ${DEPTHS.join(', ')}.` });
  }
  return {
    ...(args.depth === undefined ? {} : { depth: args.depth as Depth }),
    ...(args.only?.length ? { only: args.only } : {}),
    ...(args.skip?.length ? { skip: args.skip } : {}),
  };
}

/** What a killed run left is removed now, and said, because it may explain a full disk. */
async function reportAbandoned(streams: Streams): Promise<void> {
  for (const { folder, endedProcesses } of await removeAbandoned()) {
    streams.stderr.write(`Removed what a run that was killed had left: ${folder} (${endedProcesses} processes ended).\n`);
  }
}

function exitCodeOf(records: VerificationRecord[]): ExitCode {
  if (records.some((record) => record.verdict === 'failed')) return EXIT.failed;
  return records.some((record) => record.verdict === 'inconclusive') ? EXIT.inconclusive : EXIT.passed;
}
