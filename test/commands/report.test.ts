import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { madeUpDossier, madeUpDrill } from '../../fixtures/reports/dossiers.js';
import { type ReportArguments, reportCommand } from '../../src/commands/report.js';
import { ARTEFACT_FOLDER, artefactPath, digestOf, keepArtefact, openLedger, sha256Hex } from '../../src/ledger/index.js';
import { sampleKey, sampleSignOff, sampleTimestamp } from '../ledger/documents.js';
import { failed, passed } from '../reporters/records.js';
import { sampleRecord } from '../sample-record.js';
import { capture } from './streams.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

async function report(args: ReportArguments): Promise<{ out: string; err: string }> {
  const { streams, out, err } = capture();
  expect(await reportCommand({ state, ...args }, { checks: [] }, streams)).toBe(0);
  return { out: out(), err: err() };
}

function append(...documents: Parameters<ReturnType<typeof openLedger>['append']>[0][]): void {
  const ledger = openLedger(state);
  for (const document of documents) ledger.append(document);
  ledger.close();
}

describe('report', () => {
  it('shows a record as text, and the newest without an id', async () => {
    append(passed, failed);
    expect((await report({ id: passed.id })).out).toMatch(/^PASSED: /);
    expect((await report({ latest: true })).out).toMatch(/^FAILED: /);
    expect((await report({ machine: 'db1' })).out).toContain(failed.id);
  });
  it('puts earlier records of the machine and sign-offs into the page, and the place in the chain', async () => {
    const earlier = [1, 2, 3].map((day) =>
      sampleRecord(`r${day}`, { startedAt: new Date(`2026-11-1${day}T02:00:00Z`), finishedAt: new Date(`2026-11-1${day}T02:01:00Z`) }),
    );
    append(
      ...earlier,
      sampleRecord('other', { restorePoint: { id: 'x', machine: 'elsewhere', takenAt: null } }),
      passed,
      sampleSignOff('s1', passed.id),
      sampleSignOff('s2', 'r1'),
    );
    const { out } = await report({ id: passed.id, format: 'html' });
    expect(out).toContain('From the last 4 records of this machine');
    expect(out).toContain('A. Reviewer');
    expect(out).toContain(digestOf(passed));
    expect(out).not.toContain('elsewhere');
    expect((await report({ id: 'r1', format: 'html' })).out).toContain('a trend begins with the second');
  });
  it('shows pictures that have their digest, and no others', async () => {
    const made = await madeUpDossier();
    for (const { name, mediaType, sha256 } of made.record.artefacts)
      await keepArtefact(join(state, ARTEFACT_FOLDER), name, mediaType, made.artefacts.get(sha256) ?? new Uint8Array());
    append(made.document);
    const pictures = async (): Promise<number> => (await report({ id: made.document.id, format: 'html' })).out.match(/src="data:image\/png/g)?.length ?? 0;
    expect(await pictures()).toBe(9);
    const changed = made.record.artefacts.find(({ name }) => name === 'boot/screen-003.png')?.sha256 ?? '';
    writeFileSync(artefactPath(join(state, ARTEFACT_FOLDER), changed), made.artefacts.get(made.record.artefacts[0]?.sha256 ?? '') ?? '');
    expect(await pictures()).toBe(8);
  });
  it('of a drill finds its records and earlier drills of its name', async () => {
    const made = madeUpDrill(8, 2);
    append(
      ...[...made.records.values()].map(({ document }) => document),
      ...made.earlier,
      { ...made.earlier[0], id: 'other', name: 'weekly' } as typeof made.drill,
      made.drill,
    );
    const { out } = await report({ latest: true, format: 'html' });
    expect(out).toContain('From the last 3 drills of this name');
    for (const { document } of made.records.values()) expect(out).toContain(digestOf(document));
  });
  it('as JSON Lines has the digest that the chain holds', async () => {
    append(passed);
    const { out } = await report({ id: passed.id, format: 'jsonl' });
    expect(sha256Hex(out.split('\n')[0] ?? '')).toBe(digestOf(passed));
  });
  it('writes a file, or one with a name of its own into a folder, in the format that the name says', async () => {
    append(passed);
    const { out, err } = await report({ id: passed.id, out: join(state, 'a.xml') });
    expect([out, err]).toEqual(['', `Wrote ${join(state, 'a.xml')}\n`]);
    expect(readFileSync(join(state, 'a.xml'), 'utf8')).toContain('<testsuites');
    await report({ id: passed.id, out: `${join(state, 'new')}/` });
    expect(readdirSync(join(state, 'new'))).toEqual([`db1-${passed.id}.html`]);
  });
  it('names the first time stamp that covers it, and says that there is none', async () => {
    append(passed, sampleTimestamp('t1', { headSeq: 1 }), sampleTimestamp('t2', { headSeq: 2, authority: 'CN=Later' }), failed);
    expect((await report({ id: passed.id, format: 'html' })).out).toMatch(/by CN=Test, on the chain up to entry 1/);
    expect((await report({ id: failed.id, format: 'html' })).out).toContain('no authority outside has seen');
  });
  it('shows only the rule that was asked for, in full', async () => {
    append(passed);
    const { out } = await report({ id: passed.id, format: 'markdown', controls: ['dora'] });
    expect(out).toContain('Article 12');
    expect(out).not.toContain('164.308');
  });
  it.each<[string, ReportArguments, RegExp]>([
    ['nothing named', {}, /Name a record or a drill/],
    ['both named', { id: 'x', latest: true }, /not both/],
    ['an id that is not there', { id: 'nowhere' }, /holds no document nowhere/],
    ['a machine without records', { machine: 'nobody' }, /no record of nobody/],
    ['a key', { id: 'k1' }, /neither a record nor a drill/],
    ['no format', { id: 'k1', format: 'pdf' }, /"pdf" is no format/],
    ['no rule', { id: 'k1', controls: ['GDPR'] }, /GDPR/],
  ])('refuses: %s', async (_, args, message) => {
    append(passed, sampleKey('k1'));
    await expect(report(args)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });
  it('says that there is no ledger, and makes none', async () => {
    await expect(report({ latest: true })).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/There is no ledger/) });
    expect(readdirSync(state)).toEqual([]);
  });
  it('says where it cannot be written', async () => {
    append(passed);
    writeFileSync(join(state, 'file'), '');
    await expect(report({ id: passed.id, out: join(state, 'file', 'a.html') })).rejects.toMatchObject({
      exitCode: 2,
      advice: expect.stringContaining('--out'),
    });
  });
});
