/** Real machines, saved in states of which the truth is known. All states: `npm run campaign -- machine`. */
import { describe } from 'vitest';
import { judgesRightly } from '../../../test/machine-states.js';

describe('machines that are resumed', () => {
  judgesRightly('resume', ['idle', 'light-load-two-cpus', 'hard-hang', 'soft-hang-one-of-two', 'data-frozen']);
});
