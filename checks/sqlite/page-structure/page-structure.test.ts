/** The judgement of one database file; `faults.test.ts` of the family damages every page and every field. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeStatic } from '../testing/judge-all.js';
import { damage, openSample } from '../testing/sample.js';
import check from './index.js';

describe(check.id, () => {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-structure-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('passes a healthy database, and fails it with one page of zeroes, naming the page', async () => {
    const path = join(folder, 'one.db');
    openSample(path).close();
    expect((await judgeStatic(path)).structure).toMatchObject({ outcome: 'pass', untested: [] });
    damage(path, (bytes) => void bytes.fill(0, 1024, 2048));
    const { structure } = await judgeStatic(path);
    expect(structure.outcome).toBe('fail');
    expect(structure.findings.map((finding) => finding.where.page)).toContain(2);
    expect(structure.advice).toBeTruthy();
  });
});
