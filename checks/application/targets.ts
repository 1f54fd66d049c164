import type { CheckTarget, ExpectationTarget } from '../../src/check.js';

export function targetOf(target: CheckTarget): ExpectationTarget {
  if (target.kind !== 'expectation') throw new TypeError('this check looks at expectations');
  return target;
}

/** Texts of a guest or a policy, so long that they tell enough. */
export function shortened(text: string, most = 200): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}
