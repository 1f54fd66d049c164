/** A log on the disk against what of it stands in saved memory: a second witness of one instant, whatever system ran in it. What the engines share. */
import { type Check, type CheckContext, instanceOf, type NoOptions } from '../check.js';
import { NotTestedError } from '../errors.js';
import type { DatabaseInstance, Finding, Judgement } from '../types.js';
import type { GuestRam } from '../ways.js';

export interface SavedMemoryCheck<Evidence>
  extends Pick<Check<Evidence, NoOptions>, 'id' | 'title' | 'failureTitle' | 'description' | 'skipReason' | 'evaluate'> {
  collect(instance: DatabaseInstance, ram: GuestRam, context: CheckContext<NoOptions>): Promise<Evidence>;
}

const TIMEOUT_MS = 30 * 60_000;

export function defineSavedMemoryCheck<Evidence>({ collect, ...check }: SavedMemoryCheck<Evidence>): Check<Evidence, NoOptions> {
  return {
    ...{ ...check, stage: 'memory', depth: 'static', targetKind: 'instance', lab: 'none', timeoutMs: TIMEOUT_MS },
    ...{ optionsSchema: { type: 'object', additionalProperties: false, properties: {} }, defaultOptions: {} },
    async collect(target, context) {
      const memory = await context.labs.memory();
      if (!memory?.ram || !memory.facts.complete) throw notTested('the saved memory cannot be read as a whole');
      return collect(instanceOf(target), memory.ram, context);
    },
  };
}

export const notTested = (message: string): NotTestedError => new NotTestedError({ code: 'saved-memory', message });

export interface Told {
  /** Of the disk. */
  relation: 'earlier' | 'later' | 'differs' | 'agrees' | 'unknown';
  proven: boolean;
  how: string;
}

export interface Log {
  engine: string;
  /** As a sentence begins with it. */
  title: string;
  /** As it is named elsewhere. */
  name: string;
  where: Finding['where'];
}

/** Proof fails; a doubt leaves it open what holds data; that both agree, or that nothing can be told, decides nothing. */
export function judgeTold({ relation, proven, how }: Told, { engine, title, name, where }: Log): Judgement {
  const what = `whether ${name} and the saved memory are of one instant`;
  const open = (why: string, holdsData: boolean) => ({ what, why, holdsData });
  if (relation === 'unknown') return { outcome: 'pass', summary: `Cannot be told: ${how}.`, findings: [], tested: [], untested: [open(how, false)] };
  const tested = [{ what, how }];
  if (relation === 'agrees') return { outcome: 'pass', summary: `${title} agrees with the saved memory: ${how}.`, findings: [], tested, untested: [] };
  const place = relation === 'differs' ? 'of another instant' : relation;
  const summary = `${title} on the disk ${proven ? 'is' : 'may be'} ${place} than the saved memory: ${how}.`;
  const code = `${engine}.saved-memory.disk-${relation}`;
  const findings: Finding[] = [{ code, severity: proven ? 'critical' : 'warning', message: summary, where }];
  if (proven) return { outcome: 'fail', summary, findings, advice: advice(true), tested, untested: [] };
  return { outcome: 'pass', summary, findings, advice: advice(false), tested: [], untested: [open(`there is doubt, and no proof: ${how}`, true)] };
}

const advice = (proven: boolean): string =>
  `Do not resume${proven ? '' : ' before this is clear'}: ${proven ? '' : 'where it is true, '}the server would go on from a log that is not the one on the disk, and destroy its data without a word. The disks alone may still come back by a cold boot. Look for what makes the backup take memory and disks at different moments.`;
