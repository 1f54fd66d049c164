/** `snapproof retain`: which restore points may go, and why the others stay. Removes nothing; `--apply` runs the user's own command for each. */
import { loadDrillPolicy } from '../drill/policy/load.js';
import { listSources } from '../drill/sources/index.js';
import { EXIT, type ExitCode, LedgerError, UsageError } from '../errors.js';
import { anchorsOf as keysOf } from '../evidence/index.js';
import type { Question } from '../gate/ask.js';
import { parseDuration } from '../gate/duration.js';
import { type RequirementOptions, toRequirements } from '../gate/requirements.js';
import { type Applied, applyPlan, checkCommand, runCommand } from '../gate/retain/apply.js';
import { makePlan, type Names, type RetainPlan } from '../gate/retain/retain.js';
import type { RetentionRules } from '../gate/retain/rules.js';
import { signatureJudge } from '../gate/signature.js';
import type { SubjectOptions } from '../gate/subject.js';
import { type Ledger, ledgerPath, readLedger, stateFolder } from '../ledger/index.js';
import { installSignalHandlers } from '../process/signals.js';
import { writeDocument } from '../reporters/json.js';
import { openProgress } from '../reporters/progress.js';
import { renderPlan } from './retain/text.js';
import { print, type Streams, widthOf } from './streams.js';
import type { Library } from './verify.js';

export interface RetainArguments extends RequirementOptions {
  paths: string[];
  keepLast?: number | undefined;
  keepDaily?: number | undefined;
  keepWeekly?: number | undefined;
  keepMonthly?: number | undefined;
  keepYearly?: number | undefined;
  keepWithin?: string | undefined;
  trustDigest?: boolean | undefined;
  allowFolder?: string[] | undefined;
  /** A drill policy, for its names of machines and times. */
  policy?: string | undefined;
  apply?: boolean | undefined;
  /** What stands after `--`. */
  command?: string[] | undefined;
  maxDelete?: number | undefined;
  maxPercent?: number | undefined;
  state?: string | undefined;
  json?: boolean | undefined;
  /** For tests; default: the clock of the host. */
  now?: () => Date;
}

/** @returns 0 planned (or done), 1 a machine has nothing proven, or a guard or the gate stopped it, 4 a command failed. @throws SnapproofError */
export async function retainCommand(args: RetainArguments, streams: Streams, { checks }: Pick<Library, 'checks'> = { checks: [] }): Promise<ExitCode> {
  const rules = toRules(args);
  if (args.apply) checkCommand(args.command ?? []);
  else if (args.command?.length) throw new UsageError({ code: 'usage.apply', message: 'A command is only run with --apply.' });
  const ledger = existingLedger(args);
  const abort = new AbortController();
  const uninstall = installSignalHandlers(abort);
  const progress = openProgress([{ name: 'digest', title: 'Reading what replaces the others' }], streams.stderr as NodeJS.WriteStream);
  try {
    const subject = { trustDigest: args.trustDigest ?? false, allowedFolders: args.allowFolder ?? [], signal: abort.signal, progress: progress.sink };
    const question = questioner(args, ledger);
    const names = args.policy === undefined ? new Map() : await namesBy(args.policy, checks, abort.signal);
    const plan = await progress.stage('digest', () => makePlan({ paths: args.paths, names, rules, proof: { ...subject, question: question() } }));
    const applied = args.apply ? await apply(plan, args, subject, question) : null;
    await deliver(plan, applied, args, rules, streams);
    return exitCodeOf(plan, applied);
  } finally {
    await progress.finish();
    uninstall();
    ledger.close();
  }
}

/** Where restore points have no manifest, the templates of a drill's sources say whose they are and when they were taken. */
async function namesBy(policy: string, checks: Library['checks'], signal: AbortSignal): Promise<Names> {
  const { sources } = await loadDrillPolicy(policy, checks);
  const { candidates, problems } = await listSources(sources, async () => ({ candidates: [], notes: [] }), signal);
  if (problems.length > 0)
    throw new UsageError({ code: 'retain.sources', message: problems.join(' '), advice: 'Nothing is planned while a source cannot be listed.' });
  return new Map(candidates.map(({ path, machine, takenAt }) => [path, { machine, takenAt }]));
}

/** Without a ledger nothing is proven, and nothing may go. */
function existingLedger({ state }: RetainArguments): Ledger {
  const folder = stateFolder(state);
  const ledger = readLedger(folder);
  if (ledger) return ledger;
  const message = `There is no ledger ${ledgerPath(folder)}: nothing is proven, so nothing may go.`;
  throw new LedgerError({ code: 'ledger.missing', message, advice: 'Name the folder of the ledger with --state, or verify restore points first.' });
}

function questioner(args: RetainArguments, ledger: Ledger): () => Question {
  const requirements = toRequirements(args);
  const signature = signatureJudge(ledger, keysOf(args.key === undefined ? [] : [args.key]));
  return () => ({ ledger, requirements, signature, now: args.now?.() ?? new Date() });
}

function apply(plan: RetainPlan, args: RetainArguments, subject: SubjectOptions, question: () => Question): Promise<Applied> {
  const guards = { maxDelete: args.maxDelete === undefined ? null : whole(args.maxDelete, '--max-delete'), maxPercent: percent(args.maxPercent ?? 50) };
  return applyPlan(plan, { command: args.command ?? [], guards, question, subject, run: runCommand });
}

function toRules(args: RetainArguments): RetentionRules {
  const rules = {
    last: whole(args.keepLast ?? 0, '--keep-last'),
    daily: whole(args.keepDaily ?? 0, '--keep-daily'),
    weekly: whole(args.keepWeekly ?? 0, '--keep-weekly'),
    monthly: whole(args.keepMonthly ?? 0, '--keep-monthly'),
    yearly: whole(args.keepYearly ?? 0, '--keep-yearly'),
    withinMs: args.keepWithin === undefined ? null : parseDuration(args.keepWithin, '--keep-within'),
  };
  if (Object.values(rules).some(Boolean)) return rules;
  throw new UsageError({
    code: 'usage.rules',
    message: 'No rule says what to keep.',
    advice: 'Name at least one, such as --keep-last 7 or --keep-within 14d.',
  });
}

function whole(value: number, option: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UsageError({ code: 'usage.number', message: `${option} needs a whole number from 0.` });
}

function percent(value: number): number {
  if (value >= 0 && value <= 100) return value;
  throw new UsageError({ code: 'usage.number', message: '--max-percent needs a number from 0 to 100.' });
}

async function deliver(plan: RetainPlan, applied: Applied | null, args: RetainArguments, rules: RetentionRules, streams: Streams): Promise<void> {
  if (!args.json) return print(streams.stdout, renderPlan(plan, applied, widthOf(streams.stdout)));
  const points = plan.planned.map(({ point, goes, why }) => ({ ...point, goes, why }));
  const anchors = plan.anchors.map(({ machine, found }) => ({ machine, path: found.path }));
  const ledger = ledgerPath(stateFolder(args.state));
  return writeDocument(
    { schema: 'snapproof.retain/v1', ledger, rules, requirements: toRequirements(args), newestProven: anchors, points, applied },
    streams.stdout,
  );
}

function exitCodeOf({ planned, anchors }: RetainPlan, applied: Applied | null): ExitCode {
  if (applied?.stopped) return applied.stopped.by === 'command' ? EXIT.tool : EXIT.failed;
  const machines = new Set(planned.map(({ point }) => point.machine));
  return anchors.length < machines.size ? EXIT.failed : EXIT.passed;
}
