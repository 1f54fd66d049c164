/**
 * Runs the user's own command for each restore point that may go, one after the other, and stops at the first trouble. Nothing is removed here.
 * Right before each, the gate is asked again for what replaces it: its files as they were read and untouched since, and the ledger as it is now.
 */
import { spawn } from 'node:child_process';
import { UsageError } from '../../errors.js';
import { changesSince, type Stamps, stampFiles } from '../../images/index.js';
import { count } from '../../words.js';
import { ask, type Question } from '../ask.js';
import { restorePointSubject, type Subject, type SubjectOptions } from '../subject.js';
import { type PlannedPoint, type RetainPoint, removalOrder } from './plan.js';
import type { Anchor, RetainPlan } from './retain.js';

export interface Guards {
  /** At most so many at once; null: any number. */
  maxDelete: number | null;
  /** At most this part of all restore points that were found. */
  maxPercent: number;
}

export interface Removal {
  path: string;
  command: string[];
  /** Null: it could not be started, or was ended by a signal. */
  exitCode: number | null;
}

export interface Applied {
  removals: Removal[];
  /** Why it stopped before the end; null: all was done. */
  stopped: { by: 'guard' | 'gate' | 'command'; why: string } | null;
}

export interface ApplyOptions {
  command: string[];
  guards: Guards;
  /** Asked anew each time. */
  question: () => Question;
  subject: SubjectOptions;
  /** Runs one command; gives its exit code. */
  run: (command: string[]) => Promise<number | null>;
}

const PLACE = '{}';

/** @throws UsageError for a command that would do the same each time */
export function checkCommand(command: string[]): void {
  if (command.length > 0 && command.slice(1).some((word) => word.includes(PLACE))) return;
  throw new UsageError({
    code: 'usage.apply',
    message: '--apply needs a command after "--", with {} where the path of a restore point goes.',
    advice: 'For example: --apply -- rm -r -- {}',
  });
}

/** Why so many at once are refused; null: they are not. */
export function guardObjection(planned: PlannedPoint[], { maxDelete, maxPercent }: Guards): string | null {
  const going = planned.filter(({ goes }) => goes).length;
  if (maxDelete !== null && going > maxDelete) return `${count(going, 'restore point')} would go, and --max-delete allows ${maxDelete}.`;
  const percent = planned.length === 0 ? 0 : (100 * going) / planned.length;
  return percent > maxPercent
    ? `${going} of ${planned.length} restore points would go (${Math.round(percent)} %), and --max-percent allows ${maxPercent} %.`
    : null;
}

export async function applyPlan({ planned, anchors }: RetainPlan, options: ApplyOptions): Promise<Applied> {
  const objection = guardObjection(planned, options.guards);
  if (objection !== null) return { removals: [], stopped: { by: 'guard', why: `${objection} Nothing was removed.` } };
  const watched = new Map(await Promise.all(anchors.map(async (anchor) => [anchor.machine, { anchor, stamps: await stampsOf(anchor) }] as const)));
  const removals: Removal[] = [];
  for (const point of removalOrder(planned)) {
    const shut = await whyShut(watched.get(point.machine), options);
    if (shut !== null) return { removals, stopped: { by: 'gate', why: `The gate shut before ${point.path}: ${shut}` } };
    const removal = await removeOne(point, options);
    removals.push(removal);
    if (removal.exitCode !== 0)
      return { removals, stopped: { by: 'command', why: `The command for ${point.path} ended with ${removal.exitCode ?? 'a signal, or did not start'}.` } };
  }
  return { removals, stopped: null };
}

async function removeOne({ path }: RetainPoint, { command, run }: ApplyOptions): Promise<Removal> {
  const words = command.map((word) => word.replaceAll(PLACE, () => path));
  return { path, command: words, exitCode: await run(words) };
}

async function whyShut(watched: { anchor: Anchor; stamps: Stamps } | undefined, { question, subject }: ApplyOptions): Promise<string | null> {
  if (!watched) return 'nothing that replaces it is known.';
  const { anchor, stamps } = watched;
  const [change] = await changesSince(stamps);
  if (change) return change.message;
  const again = anchor.subject ?? (await restorePointSubject(anchor.found.restorePoint, { ...subject, trustDigest: true }));
  const decision = await ask(again, question());
  return decision.answer === 'proven' ? null : `${anchor.found.path} is not proven any more. ${decision.missing[0]?.message ?? ''}`;
}

function stampsOf({ subject }: Anchor): Promise<Stamps> {
  return stampFiles(filesOf(subject));
}

function filesOf(subject: Subject | null): string[] {
  return subject?.kind === 'restore-point' ? subject.digests.map(({ path }) => path) : [];
}

/** Started as it is named; no shell looks at it. What it prints goes to our standard error. */
export function runCommand([program = '', ...args]: string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 2, 2] });
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code));
  });
}
