/** The verbs about evidence on the command line: keys, attest, sign-off, and those of the ledger. */
import { type Command, Option } from 'commander';
import type { ExitCode } from '../errors.js';
import { archiveVerifyCommand } from './archive-verify.js';
import { attestCommand } from './attest.js';
import { keysInitCommand, keysListCommand, keysRevokeCommand, keysRotateCommand } from './keys.js';
import { ledgerVerifyCommand } from './ledger.js';
import { ledgerExportCommand } from './ledger-export.js';
import { ledgerHeadCommand } from './ledger-head.js';
import { ledgerTimestampCommand } from './ledger-timestamp.js';
import { signOffCommand } from './sign-off.js';
import type { Streams } from './streams.js';

/** Hands the exit code of an action to the only place that sets it. */
export type Done = (code: ExitCode) => void;

const STATE = ['--state <DIR>', 'folder of the ledger (default: snapproof below the XDG state folder)'] as const;
const JSON_OUT = ['--json', 'one JSON document on standard output'] as const;
const SIGNED = ['--require-signature', 'what is not signed is an error'] as const;
const several = (value: string, before: string[]): string[] => [...before, value];

export function addEvidenceVerbs(program: Command, streams: Streams, done: Done): void {
  addLedger(program, streams, done);
  addKeys(program, streams, done);
  program
    .command('attest')
    .description('sign what is not signed')
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (options) => done(await attestCommand(options, streams)));
  program
    .command('sign-off')
    .description('say that a person looked at a record or a drill: stored, never changed')
    .argument('<id>', 'of the record or drill, or the number of its entry')
    .requiredOption('--reviewer <NAME>', 'who looked')
    .requiredOption('--note <TEXT>', 'what they found')
    .option('--ticket <ID>', 'where it is followed up')
    .option('--reject', 'not accepted')
    .option('--corrective-action <TEXT>', 'what is done about it')
    .option('--retest <RECORD>', 'the record that shows the correction')
    .option(...SIGNED)
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (id: string, options) => done(await signOffCommand(id, options, streams)));
}

function addLedger(program: Command, streams: Streams, done: Done): void {
  const ledger = program.command('ledger').description('the store of all records');
  ledger
    .command('verify')
    .description('recompute every hash and verify every signature; names each record that was changed, removed, inserted or reordered')
    .argument('[archive]', 'an archive made by "ledger export", instead of the ledger')
    .option('--head <HASH>', 'a head that was printed earlier: the chain must still hold it')
    .option('--key <KEY>', 'trust begins with this key alone: its id, or a file with the public key (may be given again)', several, [])
    .option('--tsa-ca <FILE>', 'certificates of the authority for time stamps (PEM): verifies their tokens too')
    .option(...SIGNED)
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (archive: string | undefined, options) =>
      done(archive === undefined ? await ledgerVerifyCommand(options, streams) : await archiveVerifyCommand(archive, options, streams)),
    );
  ledger
    .command('timestamp')
    .description('let an authority outside sign the head of the chain with its time (RFC 3161), and store that')
    .option('--tsa <URL>', 'address of the authority')
    .option('--tsa-command <PROGRAM...>', 'a program that gets the query on standard input and gives the reply on standard output')
    .requiredOption('--tsa-ca <FILE>', 'certificates that the reply must verify with (PEM)')
    .option(...SIGNED)
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (options) => done(await ledgerTimestampCommand(options, streams)));
  ledger
    .command('export')
    .description('write a part of the ledger as an archive that can be verified without it')
    .requiredOption('--out <FILE>', 'the archive (.tar.gz); it must not exist')
    .option('--from <TIME>', 'stored from this day or instant on (UTC)')
    .option('--to <TIME>', 'stored up to this day or instant (UTC)')
    .option('--machine <NAME>', 'only what is about this machine')
    .option('--require-signature', 'that the archive cannot be signed as a whole is an error')
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (options) => done(await ledgerExportCommand(options, streams)));
  ledger
    .command('head')
    .description('print the hash of the last entry, to be kept elsewhere')
    .addOption(new Option('--paper', 'as text for paper').conflicts('json'))
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (options) => done(await ledgerHeadCommand(options, streams)));
}

function addKeys(program: Command, streams: Streams, done: Done): void {
  const keys = program.command('keys').description('the keys that sign what is stored');
  const made = (command: Command): Command =>
    command
      .option('--passphrase', 'protect the private key by a passphrase (SNAPPROOF_KEY_PASSPHRASE_FILE, or asked for)')
      .option('--public-key <FILE>', 'the public key of a signing command (SNAPPROOF_SIGN_COMMAND), instead of a key made here')
      .option(...STATE);
  made(keys.command('init'))
    .description('make the first key; its id goes to standard output')
    .option('--lost', 'the private key in use is lost: begin anew')
    .action(async (options) => done(await keysInitCommand(options, streams)));
  made(keys.command('rotate'))
    .description('make a new key; the one in use vouches for it and ends')
    .option('--reason <TEXT>', 'why')
    .action(async (options) => done(await keysRotateCommand(options, streams)));
  keys
    .command('revoke')
    .description('nothing that this key signs from now on counts')
    .argument('<key>', 'its id, or a beginning of at least 8 digits')
    .requiredOption('--reason <TEXT>', 'why')
    .option(...STATE)
    .action(async (key: string, options) => done(await keysRevokeCommand(key, options, streams)));
  keys
    .command('list')
    .description('list the keys of the ledger')
    .option(...STATE)
    .option(...JSON_OUT)
    .action(async (options) => done(await keysListCommand(options, streams)));
}
