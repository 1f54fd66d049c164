/** The short form of a check of saved memory: no options, and no lab beyond the memory itself unless it says so. */
import { type Check, defineCheck, type NoOptions } from '../../src/check.js';

const TIMEOUT_MS = 30 * 60_000;

export function defineMemoryCheck<Evidence>(
  check: Pick<Check<Evidence, NoOptions>, 'id' | 'title' | 'failureTitle' | 'description' | 'collect' | 'evaluate'> &
    Partial<Pick<Check<Evidence, NoOptions>, 'lab' | 'timeoutMs'>>,
): Check<Evidence, NoOptions> {
  return defineCheck({
    ...{ stage: 'memory', depth: 'static', targetKind: 'memory', lab: 'none', timeoutMs: TIMEOUT_MS },
    ...{ optionsSchema: { type: 'object', additionalProperties: false, properties: {} }, defaultOptions: {} },
    skipReason: (target) => (target.kind === 'memory' ? null : 'this is no saved memory'),
    ...check,
  });
}
