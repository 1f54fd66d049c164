import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemsOfRun } from '../../src/ledger/index.js';
import { reportFiles } from '../../src/reporters/files.js';
import { writeRunDocument } from '../../src/reporters/json.js';
import { renderRecord } from '../../src/reporters/terminal.js';
import { capture } from '../commands/streams.js';
import { sampleRecord } from '../sample-record.js';
import { failed, hostile, passed } from './records.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-report-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('report files', () => {
  it('are the run as JSON and JUnit XML and one text per record, and nothing else', async () => {
    const target = join(folder, 'deep/er');
    const paths = await reportFiles([passed, failed], target);
    expect(paths.map((path) => basename(path))).toEqual(['run.json', 'junit.xml', `db1-${passed.id}.txt`, `db1-${failed.id}.txt`]);
    expect(readdirSync(target).sort()).toEqual(paths.map((path) => basename(path)).sort());
    expect(problemsOfRun(JSON.parse(readFileSync(join(target, 'run.json'), 'utf8')))).toEqual([]);
    expect(readFileSync(paths[3] ?? '', 'utf8')).toBe(renderRecord(failed, { color: false }));
  });
  it('and a page per record where one can be made', async () => {
    const paths = await reportFiles([passed], folder, { page: (record) => `page of ${record.id}` });
    expect(paths.map((path) => basename(path)).slice(2)).toEqual([`db1-${passed.id}.txt`, `db1-${passed.id}.html`]);
    expect(readFileSync(paths[3] ?? '', 'utf8')).toBe(`page of ${passed.id}`);
  });
  it('replace those of an earlier run', async () => {
    writeFileSync(join(folder, 'run.json'), 'old');
    await reportFiles([passed], folder);
    await reportFiles([failed], folder);
    expect(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'))).toMatchObject({ summary: { failed: 1, passed: 0 } });
  });
  it('stay in their folder, whatever a machine is called', async () => {
    const named = (machine: string) => sampleRecord('r1', { restorePoint: { id: 'x', machine, takenAt: null } });
    const names = [];
    for (const machine of ['../../etc/passwd', '..', '', '/abs', 'a\u0000b', 'x'.repeat(500)])
      names.push(...(await reportFiles([named(machine)], folder)).slice(2));
    for (const name of names) expect(basename(name)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\.txt$/);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(names.map((name) => basename(name))));
  });
  it('say where they cannot be written, and leave no part', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(reportFiles([passed], join(folder, 'file'))).rejects.toMatchObject({
      code: 'report.unwritable',
      message: expect.stringContaining(join(folder, 'file')),
    });
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('--json', () => {
  it('is exactly one document, also with hostile names', async () => {
    const { streams, out } = capture();
    await writeRunDocument([hostile, failed], streams.stdout);
    const text = out();
    expect(JSON.parse(text)).toMatchObject({ schema: 'snapproof.run/v1', summary: { passed: 0, failed: 1, inconclusive: 1 }, records: [hostile, failed] });
    expect(text).not.toContain('\u001b');
  });
});
