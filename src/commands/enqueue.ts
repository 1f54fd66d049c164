/** `snapproof enqueue`: puts restore points into the queue that a drill works off. What hooks of backup programs call: it returns at once. */
import { resolve } from 'node:path';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { type QueuedEntry, Spool } from '../gate/spool/index.js';
import { stateFolder } from '../ledger/index.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { count, formatInstant } from '../reporters/units.js';
import { lookAt } from '../sources/host-paths.js';
import { print, type Streams } from './streams.js';

export interface EnqueueArguments {
  paths: string[];
  /** Who asks, for the list. */
  by?: string | undefined;
  list?: boolean | undefined;
  remove?: boolean | undefined;
  state?: string | undefined;
  json?: boolean | undefined;
}

/** @throws UsageError for a path at which there is nothing; then none was put in. */
export async function enqueueCommand(args: EnqueueArguments, streams: Streams): Promise<ExitCode> {
  const spool = new Spool(stateFolder(args.state));
  if (args.list) return listQueue(spool, args, streams);
  if (args.paths.length === 0)
    throw new UsageError({ code: 'usage.paths', message: 'No restore point was named.', advice: 'Name paths, or see what waits with --list.' });
  return args.remove ? removeAll(spool, args, streams) : addAll(spool, args, streams);
}

async function addAll(spool: Spool, { paths, by }: EnqueueArguments, streams: Streams): Promise<ExitCode> {
  const places: string[] = [];
  for (const path of paths) places.push((await lookAt(path)).path);
  for (const path of places) {
    const added = await spool.add(path, by ?? 'command line');
    await print(streams.stderr, `${visible(path)} ${added ? 'waits for its verification' : 'waited already'}.\n`);
  }
  return EXIT.passed;
}

/** A path that is gone by now can still be taken out under the name it was listed with. */
async function removeAll(spool: Spool, { paths }: EnqueueArguments, streams: Streams): Promise<ExitCode> {
  for (const path of paths) {
    const removed = await spool.remove(resolve(path));
    await print(streams.stderr, `${visible(path)} ${removed ? 'was taken out of the queue' : 'does not wait'}.\n`);
  }
  return EXIT.passed;
}

async function listQueue(spool: Spool, { json }: EnqueueArguments, streams: Streams): Promise<ExitCode> {
  const { entries, unreadable } = await spool.list();
  if (json) await writeDocument({ schema: 'snapproof.queue/v1', folder: spool.folder, entries, unreadable }, streams.stdout);
  else await print(streams.stdout, `${[...entries.map(row), `${count(entries.length, 'restore point')} in the queue.`].join('\n')}\n`);
  for (const { file, why } of unreadable) await print(streams.stderr, `${visible(file)} is no entry of the queue: ${visible(why)}.\n`);
  return EXIT.passed;
}

function row({ enqueuedAt, state, by, path }: QueuedEntry): string {
  return `${formatInstant(enqueuedAt)}  ${state.padEnd(7)}  ${visible(path)}  (${visible(by)})`;
}
