/** What is seen of a guest from outside, with guests whose every instruction is known. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, counted, lookUntil, openBench } from './bench.js';

let bench: Bench;
afterEach(() => bench.close());

describe('a look', () => {
  it('tells a guest that halts from one that burns a processor', async () => {
    bench = await openBench('idle');
    const idle = await bench.boot();
    const t0 = performance.now();
    for (let i = 0; i < 10; i++) {
      const t = performance.now();
      const l = await idle.look();
      console.log(JSON.stringify(l).slice(0, 1500), performance.now() - t);
      await sleep(500);
      console.log(await counted(idle));
    }
  });
});
