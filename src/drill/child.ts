/**
 * One restore point is verified in a process of its own: whatever happens to it, a crash or a host that runs out of memory, costs this one
 * and not the night. It runs the built program; when the drill dies, its channel closes, and it stops and cleans up.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Selection } from '../documents.js';
import { InterruptedError, LabError, type SnapproofError } from '../errors.js';
import { removeAbandoned } from '../process/clean-up.js';
import type { Policy, RestorePoint, VerificationRecord } from '../types.js';
import { PACKAGE_FOLDER } from '../version.js';

/** Hidden verb of the command line that this starts. */
export const ITEM_VERB = 'drill-item';

export interface ItemRequest {
  restorePoint: RestorePoint;
  policy: Policy;
  artefactFolder: string;
  drill: { id: string; selection: Selection };
}

export type ItemReply =
  | { kind: 'stage'; name: string }
  | { kind: 'record'; record: VerificationRecord }
  | { kind: 'error'; error: { name: string; code: string; message: string; advice: string } };

/** After SIGTERM it cleans up: appliances are ended, folders removed. */
const CLEAN_UP_MS = 90_000;
const KEPT_STDERR = 4000;

/** @throws InterruptedError when aborted; else SnapproofError that says why there is no record. */
export async function verifyInChild(request: ItemRequest, signal: AbortSignal, stage: (name: string) => void): Promise<VerificationRecord> {
  if (signal.aborted) throw interrupted(signal);
  // A group of its own: Ctrl-C on the terminal reaches the drill alone, which then ends its children in order.
  const child = fork(join(PACKAGE_FOLDER, 'dist/src/cli.js'), [ITEM_VERB], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true, execArgv: [] });
  const talk = new Conversation(child, stage);
  const stop = () => void end(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    child.send(request, (error) => error && talk.broke(error));
    const reply = await talk.ended;
    if (signal.aborted && reply?.kind !== 'record') throw interrupted(signal);
    if (reply?.kind === 'record') return reply.record;
    throw reply?.kind === 'error' ? failure(reply.error) : await crashed(talk);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await sleep(CLEAN_UP_MS, undefined, { ref: false });
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

class Conversation {
  /** The last word, once the process has ended; null when there was none. */
  readonly ended: Promise<Exclude<ItemReply, { kind: 'stage' }> | null>;
  private reply: Exclude<ItemReply, { kind: 'stage' }> | null = null;
  private stderr = '';
  how = '';

  constructor(child: ChildProcess, stage: (name: string) => void) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_STDERR);
    });
    child.on('message', (message) => {
      const reply = message as ItemReply;
      if (reply.kind === 'stage') stage(reply.name);
      else this.reply = reply;
    });
    this.ended = new Promise((done) => {
      child.once('error', (error) => this.broke(error));
      child.once('close', (code, signal) => {
        this.how ||= signal === null ? `exit code ${code}` : `signal ${signal}`;
        done(this.reply);
      });
    });
  }

  broke(error: Error): void {
    this.how = error.message;
  }

  get lastWords(): string {
    return this.stderr.trim().split('\n').slice(-3).join(' ');
  }
}

function failure({ code, message, advice }: { code: string; message: string; advice: string }): SnapproofError {
  return new LabError({ code, message, advice });
}

/** What it left behind is removed now, not at the next start: an appliance that lives on takes the memory of the others. */
async function crashed({ how, lastWords }: Conversation): Promise<LabError> {
  await removeAbandoned();
  const said = lastWords ? ` Its last words: ${lastWords}` : '';
  return new LabError({ code: 'drill.crashed', message: `The process that verified it ended without a result (${how}).${said}` });
}

function interrupted(signal: AbortSignal): InterruptedError {
  return signal.reason instanceof InterruptedError ? signal.reason : new InterruptedError({ code: 'interrupted', message: 'Interrupted.' });
}
