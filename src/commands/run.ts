/** `snapproof run`: a drill over many restore points by its policy; resumed where an earlier run was interrupted. */
import { hostname, userInfo } from 'node:os';
import type { DrillDocument, DrillVerdict } from '../documents.js';
import { verifyInChild } from '../drill/child.js';
import { runDrill } from '../drill/drill.js';
import { loadDrillPolicy } from '../drill/policy/load.js';
import { EXIT, type ExitCode } from '../errors.js';
import { stateFolder } from '../ledger/index.js';
import { removeAbandoned } from '../process/clean-up.js';
import { installSignalHandlers } from '../process/signals.js';
import { wantsColour } from '../reporters/colour.js';
import { renderDrill } from '../reporters/drill.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { openRecording } from './recording.js';
import { print, type Streams, widthOf } from './streams.js';
import type { Library } from './verify.js';

export interface RunArguments {
  policy: string;
  state?: string | undefined;
  json?: boolean | undefined;
  requireSignature?: boolean | undefined;
}

const EXIT_OF: Record<DrillVerdict, ExitCode> = { passed: EXIT.passed, failed: EXIT.failed, void: EXIT.failed, inconclusive: EXIT.inconclusive };

/** @returns 0 passed, 1 failed or void, 3 inconclusive. @throws SnapproofError with its own exit code. */
export async function runCommand(args: RunArguments, library: Library, streams: Streams): Promise<ExitCode> {
  const policy = await loadDrillPolicy(args.policy, library.checks);
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  const say = logTo(streams);
  const recorder = await openRecording(args, streams);
  try {
    for (const { folder } of await removeAbandoned()) say(`Removed what a run that was killed had left: ${folder}.`);
    const document = await runDrill({
      policy,
      stateFolder: stateFolder(args.state),
      ledger: recorder.ledger,
      append: (document) => recorder.append(document),
      verify: verifyInChild,
      queue: async () => ({ candidates: [], notes: [] }),
      signal: abort.signal,
      say,
      operator: operator(),
      now: () => new Date(),
    });
    await show(document, args, streams);
    return EXIT_OF[document.verdict];
  } finally {
    uninstall();
    recorder.close();
  }
}

/** Lines of a night log: when, and what. */
function logTo({ stderr }: Streams): (line: string) => void {
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
