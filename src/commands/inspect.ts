/** `snapproof inspect`: what is on the disks of a restore point, without judgement. */
import type { EngineFinder } from '../check.js';
import { EXIT, type ExitCode } from '../errors.js';
import { loadPolicy } from '../policy/index.js';
import { removeAbandoned } from '../process/clean-up.js';
import { installSignalHandlers } from '../process/signals.js';
import { renderInspection } from '../reporters/inspection.js';
import { writeDocument } from '../reporters/json.js';
import { openProgress } from '../reporters/progress.js';
import { inspectRestorePoint } from '../run.js';
import { STAGES } from '../runner/stages.js';
import { loadRestorePoints } from '../sources/index.js';
import { print, type Streams, widthOf } from './streams.js';

export interface InspectArguments {
  paths: string[];
  json?: boolean;
}

const INSPECTING = new Set(['images', 'expose', 'memory', 'volumes', 'appliance', 'inspect', 'cleanup']);

/** @throws SnapproofError with its own exit code. */
export async function inspectCommand(args: InspectArguments, library: { finders: EngineFinder[] }, streams: Streams): Promise<ExitCode> {
  const policy = await loadPolicy(null, {}, []);
  const restorePoints = await loadRestorePoints(args.paths);
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  try {
    await removeAbandoned();
    const documents: object[] = [];
    for (const restorePoint of restorePoints) {
      const observer = openProgress(
        STAGES.filter(({ name }) => INSPECTING.has(name)),
        streams.stderr as NodeJS.WriteStream,
      );
      const found = await inspectRestorePoint({ restorePoint, policy, finders: library.finders, observer, signal: abort.signal }).finally(() =>
        observer.finish(),
      );
      documents.push({ restorePoint, ...found });
      if (!args.json) await print(streams.stdout, renderInspection(restorePoint, found, widthOf(streams.stdout)));
    }
    if (args.json) await writeDocument({ schema: 'snapproof.inspection/v1', restorePoints: documents }, streams.stdout);
    return EXIT.passed;
  } finally {
    uninstall();
  }
}
