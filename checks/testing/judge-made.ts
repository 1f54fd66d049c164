/** All static checks of one family over a made guest, as the runner would do them; evidence goes through JSON, as saved evidence does. */
import type { Check, CheckTarget, EngineFinder } from '../../src/check.js';
import type { Judgement, Progress } from '../../src/types.js';
import type { MadeGuest } from './made-guest.js';

export interface MadeJudgement {
  instances: number;
  judgements: Judgement[];
  /** Of all findings, each once. */
  codes: string[];
  /** No check calls the data whole: each failed, or says what that may hold data it could not judge. */
  nothingWhole: boolean;
  /** Characters of the largest evidence. */
  evidence: number;
  /** Bytes that were read, as the progress told. */
  doneBytes: number;
}

export async function judgeMade(guest: MadeGuest, finder: EngineFinder, checks: Check[], signal = new AbortController().signal): Promise<MadeJudgement> {
  const { instances, context } = await guest.find(finder);
  const done = new Map<string, number>();
  const progress = ({ what, doneBytes }: Progress) => void done.set(what ?? '', doneBytes ?? 0);
  const judgements: Judgement[] = [];
  let evidence = 0;
  for (const instance of instances) {
    const target: CheckTarget = { kind: 'instance', id: instance.id, instance };
    for (const check of checks) {
      if (check.skipReason(target, context.inspection) !== null) continue;
      const text = JSON.stringify(await check.collect(target, { ...context, signal, progress, options: check.defaultOptions }));
      evidence = Math.max(evidence, text.length);
      judgements.push(check.evaluate(JSON.parse(text), check.defaultOptions));
    }
  }
  return {
    instances: instances.length,
    judgements,
    codes: [...new Set(judgements.flatMap(({ findings }) => findings.map(({ code }) => code)))],
    nothingWhole: judgements.some(({ outcome, untested }) => outcome === 'fail' || untested.some(({ holdsData }) => holdsData)),
    evidence,
    doneBytes: [...done.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}
