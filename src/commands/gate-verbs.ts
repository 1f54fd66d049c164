/** The verbs that ask the gate, plan retention, fill the queue and tell monitoring how machines stand. */
import { type Command, Option } from 'commander';
import { enqueueCommand } from './enqueue.js';
import type { Done } from './evidence-verbs.js';
import { gateCommand } from './gate.js';
import { retainCommand } from './retain.js';
import { statusCommand } from './status.js';
import type { Streams } from './streams.js';
import type { Library } from './verify.js';

export function addGateVerbs(program: Command, library: Pick<Library, 'checks'>, streams: Streams, done: Done): void {
  for (const add of [addGate, addEnqueue, addStatus]) add(program, streams, done);
  addRetain(program, library, streams, done);
}

/** Several values: the option given again, or a list with commas. */
const collect = (value: string, before: string[]): string[] => [...before, ...value.split(',').filter(Boolean)];

function state(command: Command): Command {
  return command.option('--state <DIR>', 'folder of the ledger (default: snapproof below the XDG state folder)');
}

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

function addGate(program: Command, streams: Streams, done: Done): void {
  requirements(program.command('gate'))
    .description('exit code 0 only if a record in the ledger proves exactly these bytes; says what is missing otherwise')
    .argument('<target>', 'a restore point (path), a SHA-256, or a machine')
    .option('--trust-digest', 'do not read the files again: names, lengths and times of change must do')
    .option('--verify-ledger', 'verify the whole ledger, not only the entries the answer relies on')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExit codes: 0 proven, 1 proof missing or failed, 2 usage, 3 inconclusive, 4 the tool itself failed, 5 ledger.')
    .action(async (target: string, options) => {
      done(await gateCommand({ target, ...options }, streams));
    });
}

function addRetain(program: Command, library: Pick<Library, 'checks'>, streams: Streams, done: Done): void {
  requirements(program.command('retain'))
    .description('which restore points may go: never the newest proven one, nor what is newer, needed or in doubt; removes nothing by itself')
    .argument('<path...>', 'folders that hold restore points')
    .option('--policy <FILE>', 'drill policy whose sources say of which machine a restore point is, and when it was taken')
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
      done(await retainCommand({ paths, command, ...options }, streams, library));
    });
}

function addEnqueue(program: Command, streams: Streams, done: Done): void {
  state(program.command('enqueue'))
    .description('let restore points wait for a drill to verify them; returns at once, for hooks of backup programs')
    .argument('[path...]')
    .option('--by <NAME>', 'who asks, for the list')
    .option('--list', 'show what waits')
    .option('--remove', 'take the paths out of the queue')
    .option('--json', 'the list as one JSON document on standard output')
    .action(async (paths: string[], options) => {
      done(await enqueueCommand({ paths, ...options }, streams));
    });
}

function addStatus(program: Command, streams: Streams, done: Done): void {
  state(program.command('status'))
    .description('how all machines stand, for monitoring: reads only the ledger')
    .option('--machine <NAME>', 'only this machine')
    .option('--warn <AGE>', 'warn when the last proof is older (default: 2d)')
    .option('--critical <AGE>', 'critical when the last proof is older (default: 7d)')
    .addOption(new Option('--format <FORMAT>', 'for whom').choices(['nagios', 'prometheus']).default('nagios'))
    .option('--textfile <FILE>', 'replace this file of the Prometheus textfile collector')
    .addHelpText('after', '\nExit codes, as monitoring plugins have them: 0 OK, 1 warning, 2 critical, 3 unknown.')
    .action(async (options) => {
      done(await statusCommand(options, streams));
    });
}

/** What stands after `--` is a command of the user's own; commander hands it over with the paths. */
function splitAtDashes(words: string[], argv: string[]): { paths: string[]; command: string[] } {
  const dashes = argv.indexOf('--');
  const length = dashes < 0 ? 0 : argv.length - dashes - 1;
  return { paths: words.slice(0, words.length - length), command: words.slice(words.length - length) };
}
