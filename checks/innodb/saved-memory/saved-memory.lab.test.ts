/** A real MariaDB: its files and its memory of one instant must never raise a doubt; of two instants they mostly do. */
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { Instant } from '../testing/instants.js';
import { missingTools, TestServer } from '../testing/server.js';

const missing = missingTools();
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 8);

function needsServer(context: TestContext): void {
  if (!missing) return;
  Object.assign(context.task.meta, { skipReason: `${missing} is missing` });
  context.skip();
}

describe('the memory of a MariaDB server', () => {
  let server: TestServer;
  const instants: Instant[] = [];

  beforeAll(async () => {
    if (missing) return;
    // as large as by default: a small log is written over before the next instant
    server = await TestServer.create({ settings: ['--innodb-log-file-size=96M'] });
    server.startLoad();
    for (let i = 0; i < CAPTURES; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      instants.push(Instant.of(server, `instant${i}`));
    }
    await server.stop('kill');
    await server.start();
    instants.push(Instant.of(server, 'recovered'));
    await server.stop('fast');
  }, 120_000);
  afterAll(() => server?.destroy());

  it('agrees with the files of the same instant', async (ctx) => {
    needsServer(ctx);
    for (const instant of instants) {
      const { relation, summary, evidence } = await instant.withMemoryOf(instant);
      // its last block may have just been begun
      if (evidence.cached.tail !== null) expect(relation, summary).toBe('agrees');
      else expect(relation, summary).toBe('unknown');
    }
  });

  it('is doubted with files of another instant', async (ctx) => {
    needsServer(ctx);
    const relations: Record<'later' | 'earlier', string[]> = { later: [], earlier: [] };
    for (let i = 0; i + 2 < CAPTURES; i++) {
      const [one, other] = [instants[i], instants[i + 2]];
      if (!one || !other) throw new Error('there are no instants');
      relations.later.push((await other.withMemoryOf(one)).relation);
      relations.earlier.push((await one.withMemoryOf(other)).relation);
    }
    // three of four, but by chance of each memory: its log may end where it cannot be told from what a server left behind
    const found = (of: string[], doubts: string[]) => of.filter((relation) => doubts.includes(relation)).length / of.length;
    expect(found(relations.later, ['later', 'differs']), relations.later.join()).toBeGreaterThan(0);
    expect(found(relations.earlier, ['earlier', 'differs']), relations.earlier.join()).toBeGreaterThanOrEqual(0.5);
  });
});
