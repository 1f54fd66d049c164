#!/usr/bin/env node
/** argv -> command; the only place that sets the exit code. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { CHECKS, FINDERS } from '../checks/index.js';
import { checksCommand } from './commands/checks.js';
import { doctor } from './commands/doctor.js';
import { addDrillVerbs } from './commands/drill-verbs.js';
import { enqueueCommand } from './commands/enqueue.js';
import { addEvidenceVerbs } from './commands/evidence-verbs.js';
import { gateCommand } from './commands/gate.js';
import { historyCommand } from './commands/history.js';
import { inspectCommand } from './commands/inspect.js';
import { exitCodeOf, problemText } from './commands/problems.js';
import { retainCommand } from './commands/retain.js';
import { statusCommand } from './commands/status.js';
import { verifyCommand } from './commands/verify.js';
import { EXIT, type ExitCode } from './errors.js';
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

addDrillVerbs(program, library, streams, (code) => {
  exitCode = code;
});
addEvidenceVerbs(program, streams, (code) => {
  exitCode = code;
});
/** What a proof must be: the same for all that ask the gate. */
function requirements(command: Command): Command {
  return state(command)
    .option('--max-age <AGE>', 'of the proof: 7d, 36h, ... (default: any)')
    .option('--max-backup-age <AGE>', 'of the backup itself (default: any)')
    .addOption(new Option('--require <CONSISTENCY>', 'least consistency that was really there').choices(['crash', 'filesystem', 'application']))
    .addOption(new Option('--depth <DEPTH>', 'what was really tested').choices(['static', 'recovery', 'boot', 'resume', 'full']))
    .option('--accept-untested-recovery', 'a database whose recovery could not be tested does not stand against --depth')
    .option('--require-signature', 'only a record with a signature that counts')
    .option('--key <KEY>', 'trust this public key (its id, or a PEM file) instead of the first of the ledger')
    .option('--allow-folder <DIR>', 'members of a backing chain may lie there too (may be given again)', collect, []);
}

requirements(program.command('gate'))
  .description('exit code 0 only if a record in the ledger proves exactly these bytes; says what is missing otherwise')
  .argument('<target>', 'a restore point (path), a SHA-256, or a machine')
  .option('--trust-digest', 'do not read the files again: names, lengths and times of change must do')
  .option('--verify-ledger', 'verify the whole ledger, not only the entries the answer relies on')
  .option('--json', 'one JSON document on standard output')
  .addHelpText('after', '\nExit codes: 0 proven, 1 proof missing or failed, 2 usage, 3 inconclusive, 4 the tool itself failed, 5 ledger.')
  .action(async (target: string, options) => {
    exitCode = await gateCommand({ target, ...options }, streams);
  });

requirements(program.command('retain'))
  .description('which restore points may go: never the newest proven one, nor what is newer, needed or in doubt; removes nothing by itself')
  .argument('<path...>', 'folders that hold restore points')
  .option('--keep-last <N>', 'keep the last N of each machine', Number)
  .option('--keep-daily <N>', 'keep the last of each of the last N days (UTC)', Number)
  .option('--keep-weekly <N>', 'keep the last of each of the last N weeks', Number)
  .option('--keep-monthly <N>', 'keep the last of each of the last N months', Number)
  .option('--keep-yearly <N>', 'keep the last of each of the last N years', Number)
  .option('--keep-within <AGE>', 'keep all that were taken so long before the newest one')
  .option('--trust-digest', 'do not read the newest proven one again: names, lengths and times of change must do')
  .option('--apply', 'run the command after "--" for each that may go, with {} replaced by its path (no shell)')
  .option('--max-delete <N>', 'do nothing when more than N would go', Number)
  .option('--max-percent <P>', 'do nothing when more than P percent would go (default: 50)', Number)
  .option('--json', 'one JSON document on standard output')
  .addHelpText(
    'after',
    '\nExit codes: 0 planned or done, 1 a machine has nothing proven, or a guard or the gate stopped it, 2 usage, 4 a command failed, 5 ledger.',
  )
  .action(async (words: string[], options) => {
    const { paths, command } = splitAtDashes(words, process.argv);
    exitCode = await retainCommand({ paths, command, ...options }, streams);
  });

state(program.command('enqueue'))
  .description('let restore points wait for a drill to verify them; returns at once, for hooks of backup programs')
  .argument('[path...]')
  .option('--by <NAME>', 'who asks, for the list')
  .option('--list', 'show what waits')
  .option('--remove', 'take the paths out of the queue')
  .option('--json', 'the list as one JSON document on standard output')
  .action(async (paths: string[], options) => {
    exitCode = await enqueueCommand({ paths, ...options }, streams);
  });

state(program.command('status'))
  .description('how all machines stand, for monitoring: reads only the ledger')
  .option('--machine <NAME>', 'only this machine')
  .option('--warn <AGE>', 'warn when the last proof is older (default: 2d)')
  .option('--critical <AGE>', 'critical when the last proof is older (default: 7d)')
  .addOption(new Option('--format <FORMAT>', 'for whom').choices(['nagios', 'prometheus']).default('nagios'))
  .option('--textfile <FILE>', 'replace this file of the Prometheus textfile collector')
  .addHelpText('after', '\nExit codes, as monitoring plugins have them: 0 OK, 1 warning, 2 critical, 3 unknown.')
  .action(async (options) => {
    exitCode = await statusCommand(options, streams);
  });

/** What stands after `--` is a command of the user's own; commander hands it over with the paths. */
function splitAtDashes(words: string[], argv: string[]): { paths: string[]; command: string[] } {
  const dashes = argv.indexOf('--');
  const length = dashes < 0 ? 0 : argv.length - dashes - 1;
  return { paths: words.slice(0, words.length - length), command: words.slice(words.length - length) };
}

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
