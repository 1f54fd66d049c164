/** The verbs of drills on the command line: run, init, completion. */
import type { Command } from 'commander';
import { Argument } from 'commander';
import { ITEM_VERB } from '../drill/child.js';
import type { ExitCode } from '../errors.js';
import { completionCommand, SHELLS, type Shell } from './completion.js';
import { drillItemCommand } from './drill-item.js';
import { initCommand } from './init.js';
import { runCommand } from './run.js';
import type { Streams } from './streams.js';
import type { Library } from './verify.js';

/** @param done takes the exit code. */
export function addDrillVerbs(program: Command, library: Library, streams: Streams, done: (code: ExitCode) => void): void {
  program
    .command('run')
    .description('carry out a drill: verify the restore points that its policy chooses; goes on where it was interrupted')
    .argument('<policy>', 'drill policy (YAML or JSON); "snapproof init" writes one')
    .option('--state <DIR>', 'folder of the ledger (default: snapproof below the XDG state folder)')
    .option('--queue', 'verify what was enqueued too, as if the policy had the source "queue: true"')
    .option('--dry-run', 'show what would be verified and why, and do nothing')
    .option('--json', 'the drill document on standard output')
    .option('--require-signature', 'fail when what is stored cannot be signed')
    .addHelpText('after', '\nExit codes: 0 passed, 1 failed, overdue or void, 2 usage, 3 inconclusive, 4 the tool itself failed, 5 ledger, 130 interrupted.')
    .action(async (policy: string, options) => done(await runCommand({ policy, ...options }, library, streams)));

  program
    .command('init')
    .description('look at folders with backups and write a drill policy for them, which works as it is')
    .argument('<folder...>')
    .option('--out <FILE>', 'where to write it (default: standard output)')
    .option('--force', 'also when the file is there already')
    .action(async (folders: string[], options) => done(await initCommand({ folders, ...options }, library, streams)));

  program
    .command('completion')
    .description('print the completion of a shell: source it, or put it where the shell looks for completions')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => done(await completionCommand(program, shell, streams)));

  program.command(ITEM_VERB, { hidden: true }).action(async () => done(await drillItemCommand(library)));
}
