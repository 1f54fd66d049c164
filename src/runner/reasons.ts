/** Why the verdict is what it is, in plain sentences, most important first. */
import type { CheckResult, CheckStage, Consistency, UntestedItem, Verdict, VerdictWord } from '../types.js';
import { isJudged } from './coverage.js';

interface ReasonInput {
  /** Ids of all checks, causes before their consequences. */
  order: string[];
  verdict: VerdictWord;
  checks: CheckResult[];
  untested: UntestedItem[];
  recovery: Verdict['recovery'];
  consistency: Verdict['consistency'];
}

/** Never empty, each sentence once, and the same whatever the order of the checks. */
export function foldReasons(input: ReasonInput): string[] {
  const { checks, untested, order } = input;
  const said = (some: CheckResult[], outcome: CheckResult['outcome'], sentence: (check: CheckResult) => string) => sentences(some, outcome, sentence, order);
  const required = checks.filter((check) => check.required);
  const optional = checks.filter((check) => !check.required);
  const reasons = [
    ...said(required, 'fail', ({ target, summary }) => `${target}: ${summary}`),
    ...said(required, 'error', ({ id, target, summary }) => `${target}: ${id} could not run: ${summary}`),
    ...dataUntested(untested, required),
    ...(checks.some(isJudged) ? [] : ['Nothing was tested: no check came to a judgement.']),
    ...(input.verdict === 'passed' ? whyPassed(input) : []),
    ...brokenPromise(input.consistency),
    ...said(optional, 'fail', ({ target, summary }) => `${target}: ${summary} (The policy does not require this check.)`),
    ...said(optional, 'error', ({ id, target, summary }) => `${target}: ${id} could not run: ${summary} (The policy does not require this check.)`),
  ];
  return [...new Set(reasons)];
}

/** Causes before consequences: by stage, then those with critical findings, then as the checks are listed. The order of running does not matter. */
function sentences(checks: CheckResult[], outcome: CheckResult['outcome'], sentence: (check: CheckResult) => string, order: string[]): string[] {
  const all = checks
    .filter((check) => check.outcome === outcome)
    .map((check) => ({ text: sentence(check), stage: STAGES.indexOf(check.stage), urgency: urgency(check), rank: order.indexOf(check.id) }));
  return all.sort((a, b) => a.stage - b.stage || b.urgency - a.urgency || a.rank - b.rank || compare(a.text, b.text)).map(({ text }) => text);
}

const STAGES: CheckStage[] = ['image', 'volume', 'static', 'memory', 'logical', 'recovery', 'life'];

function urgency(check: CheckResult): number {
  return check.findings.some((finding) => finding.severity === 'critical') ? 1 : 0;
}

/** What an errored required check left open was already said with its error. */
function dataUntested(untested: UntestedItem[], required: CheckResult[]): string[] {
  const saidAlready = new Set(required.filter((check) => check.outcome === 'error').map(({ id, target }) => `${id} on ${target}`));
  return untested
    .filter((item) => item.holdsData && !saidAlready.has(item.what))
    .map(({ what, why }) => `Not tested: ${what}, because ${why}.`.replace(/\.\.$/, '.'))
    .sort(compare);
}

function whyPassed({ checks, recovery }: ReasonInput): string[] {
  const passed = checks.filter((check) => check.required && check.outcome === 'pass').length;
  const proof = passed === 1 ? 'The one check that applies and is required passed.' : `All ${passed} checks that apply and are required passed.`;
  const all = passed === 0 ? 'No check that the policy requires applies; those that ran passed.' : proof;
  return recovery.needed ? [all, 'The machine must replay its logs first, as is normal for a hot backup.'] : [all];
}

/** A weaker state than the backup claims is no damage, but somebody relies on the claim. What is damaged was said already. */
function brokenPromise({ declared, observed }: Verdict['consistency']): string[] {
  const strength: Consistency[] = ['none', 'crash', 'filesystem', 'application'];
  if (observed === 'unknown' || observed === 'none' || strength.indexOf(observed) >= strength.indexOf(declared)) return [];
  return [`The backup was declared ${declared}-consistent, but what was captured is weaker (${observed}): what was to quiesce the machine did not.`];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
