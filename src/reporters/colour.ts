/** Whether a stream wants colour, and what each word looks like. Colour only repeats what the words say. */
import { Chalk, type ChalkInstance } from 'chalk';
import type { Outcome, VerdictWord } from '../types.js';

/** FORCE_COLOR (not `0`) wins, then NO_COLOR, then whether it is a terminal that can. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  if (env.NO_COLOR) return false;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Sixteen colours: what every terminal shows on any background. */
export function palette(colour: boolean): ChalkInstance {
  return new Chalk({ level: colour ? 1 : 0 });
}

export function verdictStyle(paint: ChalkInstance, verdict: VerdictWord): ChalkInstance {
  const styles = { passed: paint.bold.green, failed: paint.bold.red, inconclusive: paint.bold.yellow };
  return styles[verdict];
}

export function outcomeStyle(paint: ChalkInstance, outcome: Outcome): ChalkInstance {
  const styles = { pass: paint.green, fail: paint.red, error: paint.yellow, skip: paint.dim };
  return styles[outcome];
}
