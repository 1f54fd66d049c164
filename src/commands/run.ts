/** `snapproof run`: a drill over many restore points by its policy; resumed where an earlier run was interrupted. */
import { hostname, userInfo } from 'node:os';
import type { DrillDocument } from '../documents.js';
import { verifyInChild } from '../drill/child.js';
import { runDrill, sayUntold } from '../drill/drill.js';
import { loadDrillPolicy } from '../drill/policy/load.js';
import type { DrillPolicy } from '../drill/policy/types.js';
import { preview } from '../drill/preview.js';
import { EXIT_OF, type TellContext, tellOutcome, tellStart, tellTrouble } from '../drill/tell/index.js';
import { EXIT, type ExitCode, InterruptedError } from '../errors.js';
import { Spool } from '../gate/spool/index.js';
import { readLedger, stateFolder } from '../ledger/index.js';
import { removeAbandoned } from '../process/clean-up.js';
import { installSignalHandlers } from '../process/signals.js';
import { wantsColour } from '../reporters/colour.js';
import { renderDrill } from '../reporters/drill.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { exitCodeOf, problemText } from './problems.js';
import { openRecording } from './recording.js';
import { print, type Streams, widthOf } from './streams.js';
import type { Library } from './verify.js';

export interface RunArguments {
  policy: string;
  state?: string | undefined;
  json?: boolean | undefined;
  dryRun?: boolean | undefined;
  queue?: boolean | undefined;
  requireSignature?: boolean | undefined;
}

type Say = (line: string) => void;

const TELLING: TellContext = { env: process.env };

/** @returns 0 passed, 1 failed or void, 3 inconclusive. @throws SnapproofError with its own exit code. */
export async function runCommand(args: RunArguments, library: Library, streams: Streams): Promise<ExitCode> {
  const loaded = await loadDrillPolicy(args.policy, library.checks);
  const policy: DrillPolicy = args.queue ? { ...loaded, sources: [...loaded.sources, { kind: 'queue' }] } : loaded;
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  const say = logTo(streams);
  try {
    if (args.dryRun) return await dryRun(policy, args, streams, abort.signal);
    const document = await carryOut(policy, args, streams, abort.signal, say);
    await show(document, args, streams);
    return EXIT_OF[document.verdict];
  } catch (error) {
    if (error instanceof InterruptedError) say(`Interrupted: the next run of ${args.policy} goes on where this one stopped.`);
    if (isTrouble(error)) sayUntold(await tellTrouble(policy.tell, policy.name, problemText(error), TELLING), say);
    throw error;
  } finally {
    uninstall();
  }
}

/** Neither a person who ends it, nor a second start beside a run that is at work. */
function isTrouble(error: unknown): boolean {
  return !(error instanceof InterruptedError) && exitCodeOf(error) !== EXIT.usage;
}

async function carryOut(policy: DrillPolicy, args: RunArguments, streams: Streams, signal: AbortSignal, say: Say): Promise<DrillDocument> {
  const recorder = await openRecording(args, streams);
  try {
    for (const { folder } of await removeAbandoned()) say(`Removed what a run that was killed had left: ${folder}.`);
    return await runDrill({
      policy,
      stateFolder: stateFolder(args.state),
      ledger: recorder.ledger,
      append: (document) => recorder.append(document),
      verify: verifyInChild,
      teller: {
        start: () => tellStart(policy.tell, TELLING),
        outcome: (document, previous) => tellOutcome(policy.tell, document, previous, TELLING),
      },
      signal,
      say,
      operator: operator(),
      now: () => new Date(),
    });
  } finally {
    recorder.close();
  }
}

/** Shows what would be done. Nothing is verified, stored or told. */
async function dryRun(policy: DrillPolicy, args: RunArguments, streams: Streams, signal: AbortSignal): Promise<ExitCode> {
  const folder = stateFolder(args.state);
  const ledger = readLedger(folder);
  try {
    const document = await preview({ policy, ledger, stateFolder: folder, spool: new Spool(folder), signal, now: new Date() });
    if (args.json) await writeDocument(document, streams.stdout);
    else await print(streams.stdout, `${document.lines.map(visible).join('\n')}\n`);
    return EXIT.passed;
  } finally {
    ledger?.close();
  }
}

/** Lines of a night log: when, and what. */
function logTo({ stderr }: Streams): Say {
  return (line) => stderr.write(`${new Date().toISOString().slice(0, 19)}Z ${visible(line)}\n`);
}

async function show(document: DrillDocument, { json }: RunArguments, { stdout }: Streams): Promise<void> {
  if (json) await writeDocument(document, stdout);
  else await print(stdout, renderDrill(document, { color: wantsColour(stdout), width: widthOf(stdout) }));
}

function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}
