/** States of real machines of which the truth is known, judged by the program's own labs and checks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { judgeWay } from '../fixtures/campaign/machine/judge.js';
import { ensureState } from '../fixtures/states/ensure-state.js';
import type { Way } from '../src/ways.js';

/** One test for each: its verdict is one of the true ones. */
export function judgesRightly(way: Way, names: string[]): void {
  const artefactFolder = mkdtempSync(join(tmpdir(), 'sp-states-'));
  afterAll(() => rmSync(artefactFolder, { recursive: true, force: true }));

  it.each(names)('%s', async (name) => {
    const { folder, truth, hostShare } = await ensureState(name, { progress: () => undefined });
    const expected = truth[way];
    if (!expected) throw new TypeError(`nothing is known of ${name} by ${way}`);
    const judged = await judgeWay(folder, way, { signal: new AbortController().signal, artefactFolder, hostShare });
    expect(expected.verdicts, `${judged.state}: ${judged.why}`).toContain(judged.verdict);
  });
}
