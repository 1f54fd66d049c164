/** The drill's own known-bad restore points: made quickly, rejected each for its own damage, and the sound one passes. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS, FINDERS } from '../../checks/index.js';
import type { LedgerDocument } from '../../src/documents.js';
import { CONTROLS } from '../../src/drill/controls/make.js';
import { runControls } from '../../src/drill/controls/run.js';
import { problemsOfDocument } from '../../src/ledger/index.js';
import { openWorkFolder } from '../../src/process/work-folder.js';
import { verifyRestorePoint } from '../../src/run.js';
import type { Observer } from '../../src/runner/stages.js';

const silent: Observer = { sink: () => undefined, stage: (_name, work) => work() };
let artefactFolder: string;

beforeAll(() => {
  artefactFolder = mkdtempSync(join(tmpdir(), 'snapproof-artefacts-'));
});
afterAll(() => rmSync(artefactFolder, { recursive: true }));

describe('controls', () => {
  it('are made in two seconds each', async () => {
    const workFolder = await openWorkFolder();
    try {
      for (const control of CONTROLS) {
        const folder = mkdtempSync(join(workFolder.path, 'c-'));
        const begin = performance.now();
        await control.make(folder, { workFolder, signal: new AbortController().signal });
        expect(performance.now() - begin, control.name).toBeLessThan(2000);
        expect(readdirSync(folder), control.name).toHaveLength(1);
      }
    } finally {
      await workFolder.close();
    }
  });

  it('come out as they have to, by the same path as all others', async () => {
    const stored: LedgerDocument[] = [];
    const lines: string[] = [];
    const results = await runControls({
      drillId: 'drill',
      before: [],
      verify: (request, signal) => verifyRestorePoint({ ...request, checks: CHECKS, finders: FINDERS, observer: silent, signal }),
      append: async (document) => stored.push(document),
      artefactFolder,
      signal: new AbortController().signal,
      say: (line) => lines.push(line),
    });
    expect(results.map(({ name, verdict, rejected }) => [name, verdict, rejected])).toEqual([
      ['sound', 'passed', false],
      ['image-truncated', 'failed', true],
      ['sqlite-page', 'failed', true],
      ['redis-value', 'failed', true],
      ['ext4-inodes', 'failed', true],
    ]);
    for (const document of stored) expect(problemsOfDocument(document)).toEqual([]);
    expect(stored).toMatchObject(CONTROLS.map(({ name }) => ({ restorePoint: { machine: `control:${name}` }, drill: { selection: { how: 'control' } } })));
  });
});
