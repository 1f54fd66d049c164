#!/usr/bin/env node
/** argv -> command; the only place that sets the exit code. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { CHECKS, FINDERS } from '../checks/index.js';
import { checksCommand } from './commands/checks.js';
import { doctor } from './commands/doctor.js';
import { addDrillVerbs } from './commands/drill-verbs.js';
import { addEvidenceVerbs } from './commands/evidence-verbs.js';
import { addGateVerbs } from './commands/gate-verbs.js';
import { historyCommand } from './commands/history.js';
import { inspectCommand } from './commands/inspect.js';
import { exitCodeOf, problemText } from './commands/problems.js';
import { reportCommand } from './commands/report.js';
import { verifyCommand } from './commands/verify.js';
import { RULES } from './compliance/index.js';
import { EXIT, type ExitCode } from './errors.js';
import { FORMATS } from './reporters/formats.js';
import { isReaderGone } from './reporters/write.js';
import { PACKAGE_FOLDER, VERSION } from './version.js';

const streams = { stdout: process.stdout, stderr: process.stderr };
const library = {
  checks: CHECKS,
  finders: FINDERS,
  readReadme: (id: string) => readFile(join(PACKAGE_FOLDER, 'checks', id, 'README.md'), 'utf8').catch(() => null),
};
let exitCode: ExitCode = EXIT.passed;

/** Several values: the option given again, or a list with commas. */
const collect = (value: string, before: string[]): string[] => [...before, ...value.split(',').filter(Boolean)];

function state(command: Command): Command {
  return command.option('--state <DIR>', 'folder of the ledger (default: snapproof below the XDG state folder)');
}

const program = new Command('snapproof')
  .description('Proves whether a hot backup of a virtual machine can really be restored, with nothing installed in the guest.')
  .version(VERSION)
  .showHelpAfterError('(run with --help for what is possible)')
  .exitOverride();

state(program.command('verify'))
  .description('verify restore points: images, folders that hold one, or their restore-point.json')
  .argument('<path...>')
  .option('--policy <FILE>', 'what to verify, how deep, what is required (YAML or JSON)')
  .addOption(new Option('--depth <DEPTH>', 'how deep to go').choices(['static', 'recovery', 'boot', 'resume', 'full']))
  .option('--only <ID>', 'only this check or family (may be given again)', collect, [])
  .option('--skip <ID>', 'without this check or family (may be given again)', collect, [])
  .option('--json', 'one JSON document on standard output')
  .option('--report <DIR>', 'write the report files there')
  .option('--require-signature', 'what could not be signed is an error')
  .addHelpText('after', '\nExit codes: 0 all passed, 1 at least one failed, 2 usage, 3 inconclusive, 4 the tool itself failed, 5 ledger, 130 interrupted.')
  .action(async (paths: string[], options) => {
    exitCode = await verifyCommand({ paths, ...options }, library, streams);
  });

program
  .command('inspect')
  .description('print what is on the disks of a restore point, without judging it')
  .argument('<path...>')
  .option('--json', 'one JSON document on standard output')
  .action(async (paths: string[], options) => {
    exitCode = await inspectCommand({ paths, ...options }, library, streams);
  });

program
  .command('checks')
  .description('list and explain the checks')
  .argument('[id]')
  .option('--json', 'one JSON document on standard output')
  .action(async (id: string | undefined, options) => {
    exitCode = await checksCommand({ id, ...options }, library, streams);
  });

program
  .command('doctor')
  .description('try every component that is needed')
  .option('--install', 'install what is missing first')
  .option('--json', 'one JSON document on standard output')
  .action(async (options) => {
    exitCode = await doctor(options, streams);
  });

state(program.command('history'))
  .description('list the records of the ledger')
  .option('--machine <NAME>', 'only of this machine')
  .addOption(new Option('--verdict <WORD>', 'only with this verdict').choices(['passed', 'failed', 'inconclusive']))
  .option('--limit <N>', 'at most so many, the newest first', Number)
  .addOption(new Option('--kind <KIND>', 'other documents than records').choices(['record', 'drill', 'sign-off', 'key', 'timestamp', 'all']))
  .option('--json', 'one JSON document on standard output')
  .action(async (options) => {
    exitCode = await historyCommand(options, streams);
  });

state(program.command('report'))
  .description('write a record or a drill as text, page (HTML), JUnit XML, Markdown, CSV or JSON Lines')
  .argument('[id]', 'of a record or a drill')
  .option('--latest', 'the newest record or drill')
  .option('--machine <NAME>', 'the newest record of this machine')
  .addOption(new Option('--format <FORMAT>', 'default: by the name of the file, else text').choices([...FORMATS]))
  .option('--out <PATH>', 'file, or folder in which it gets a name (default: standard output)')
  .option('--controls <RULE>', `only what serves this rule: ${RULES.map(({ id }) => id).join(', ')} (may be given again)`, collect, [])
  .action(async (id: string | undefined, options) => {
    exitCode = await reportCommand({ id, ...options }, library, streams);
  });

addDrillVerbs(program, library, streams, (code) => {
  exitCode = code;
});
addEvidenceVerbs(program, streams, (code) => {
  exitCode = code;
});
addGateVerbs(program, library, streams, (code) => {
  exitCode = code;
});

/** A wrong call of the monitoring plugin is "unknown", which has the number that is "inconclusive" elsewhere; 2 would be "critical". */
function usageExit(): ExitCode {
  return process.argv[2] === 'status' ? EXIT.inconclusive : EXIT.usage;
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.passed : usageExit();
  streams.stderr.write(problemText(error));
  return exitCodeOf(error);
}

/** A reader that went away (`| head`) stops nothing: the record still goes to the ledger, and the exit code stays that of the verdict. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    // Whoever writes results learns of any other error by the write itself.
    if (!isReaderGone(error)) exitCode = EXIT.tool;
  });
}

program.parseAsync().then(
  () => {
    process.exitCode = exitCode;
  },
  (error) => {
    process.exitCode = report(error);
  },
);
