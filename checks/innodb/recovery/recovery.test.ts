import { describe, expect, it } from 'vitest';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { EngineUse } from '../../../src/labs/lab.js';
import { type EngineRun, parseEngineRun } from '../engine/parse.js';
import check, { evaluateRecovery, tried } from './index.js';

const use = (engine: EngineUse['engine']): EngineUse => ({ engine, how: `the ${engine}'s MariaDB`, why: 'Why.', copiedBytes: 5 });
const said = (up: boolean, lines: string[], engine: EngineUse['engine'] = 'guest'): EngineRun =>
  parseEngineRun(`@@ start-ns 1000000000\n${up ? '@@ up\n@@ stopped\n' : ''}${lines.map((line) => `log: ${line}\n`).join('')}`, use(engine));
const REDO = ['[Note] InnoDB: Starting crash recovery from checkpoint LSN=100', '[Note] InnoDB: End of log at LSN=350'];

describe(check.id, () => {
  it('passes with the effort it took, and says whose engine it was', () => {
    const judged = evaluateRecovery(tried(said(true, REDO)));
    expect(judged).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true, seconds: 1, bytes: 250 } });
    expect(judged.findings).toMatchObject([{ code: 'innodb.recovery.engine', severity: 'info' }]);
    expect(evaluateRecovery(said(true, []))).toMatchObject({ outcome: 'pass', instanceState: 'clean', recovery: { needed: false, bytes: 0 } });
  });

  it('fails for damage and for other instants, up or down', () => {
    for (const up of [true, false]) {
      expect(evaluateRecovery(tried(said(up, ['[ERROR] InnoDB: Database page corruption on disk'])))).toMatchObject({
        outcome: 'fail',
        instanceState: 'damaged',
      });
      const future = ['[ERROR] InnoDB: Page [page id: space=5, page number=7] log sequence number 9 is in the future!'];
      expect(evaluateRecovery(tried(said(up, future)))).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
    }
  });

  it('fails a server that does not start for a reason nobody knows, or for none', () => {
    expect(evaluateRecovery(tried(said(false, ['[ERROR] Something new']))).outcome).toBe('fail');
    expect(evaluateRecovery(tried(said(false, [])))).toMatchObject({ outcome: 'fail', advice: expect.stringMatching(/\S/) });
  });

  it('does not blame the data for what is wrong with the place', () => {
    const full = ["[ERROR] mariadbd: Can't create file '/tmp/x' (errno: 28 \"No space left on device\")"];
    expect(() => tried(said(false, full))).toThrow(LabError);
    expect(() => tried(said(false, full, 'host'))).toThrow(NotTestedError);
    expect(evaluateRecovery(tried(said(true, full))).outcome).toBe('pass');
    expect(() => tried(parseEngineRun('@@ slow\n'))).toThrow(/when the time was up/);
  });

  it('warns of transactions that only the binary log could decide', () => {
    const run = { ...said(true, REDO), prepared: true };
    expect(evaluateRecovery(run)).toMatchObject({ outcome: 'pass', findings: [{}, { code: 'innodb.recovery.prepared', severity: 'warning' }] });
  });
});
