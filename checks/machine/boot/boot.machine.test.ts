/** Real machines, started from disks of which the truth is known. All states: `npm run campaign -- machine`. */
import { describe } from 'vitest';
import { judgesRightly } from '../../../test/machine-states.js';

describe('machines that are started from their disks', () => {
  judgesRightly('boot', ['idle', 'no-root', 'no-boot-device']);
});
