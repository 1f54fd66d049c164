import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeUpDossier, madeUpDrill } from '../../../fixtures/reports/dossiers.js';
import { filledIn, type RecordDossier } from '../../../src/reporters/dossier.js';
import { renderJunit } from '../../../src/reporters/junit/index.js';
import { ATTACKS, poisoned } from '../html/hostile.js';
import { hostile, inconclusive, passed } from '../records.js';

const dossier = (record: typeof passed): RecordDossier => ({
  ...{ kind: 'record', document: record, record: filledIn(record), place: null, earlier: [], signOffs: [], artefacts: new Map() },
});

interface Tag {
  name: string;
  attributes: Record<string, string>;
}

function tags(xml: string): Tag[] {
  const found: Tag[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => found.push({ name, attributes: attributes as Record<string, string> }));
  parser.write(xml).close();
  return found;
}

describe('JUnit XML', () => {
  it('is not green for a record that is inconclusive though no check failed', () => {
    const { checks, ...rest } = inconclusive;
    const untestedOnly = { ...rest, checks: checks.filter(({ outcome }) => outcome === 'pass') };
    const found = tags(renderJunit(dossier(untestedOnly)));
    expect(found[0]?.attributes).toMatchObject({ failures: '0', errors: '1' });
    expect(found.filter(({ name }) => name === 'error')).toHaveLength(1);
  });
  it('counts what it lists', async () => {
    for (const made of [await madeUpDossier(), madeUpDrill(50), dossier(passed), dossier(hostile)]) {
      const found = tags(renderJunit(made));
      const of = (wanted: string): number => found.filter(({ name }) => name === wanted).length;
      expect(found[0]?.attributes).toMatchObject({ tests: String(of('testcase')), failures: String(of('failure')), errors: String(of('error')) });
      const suites = found.filter(({ name }) => name === 'testsuite').map(({ attributes }) => attributes);
      expect(suites.reduce((sum, { skipped }) => sum + Number(skipped), 0)).toBe(of('skipped'));
      expect(suites.reduce((sum, { tests }) => sum + Number(tests), 0)).toBe(of('testcase'));
    }
  });
  it('is well-formed, whatever the strings are', async () => {
    for (const made of [poisoned(await madeUpDossier(), [...ATTACKS, '\ufffe\uffff', ']]>']), poisoned(madeUpDrill(10), ATTACKS)])
      expect(() => tags(renderJunit(made))).not.toThrow();
  });
  it('does not make a build red for a check that is not required', () => {
    const [first, ...others] = passed.checks;
    const optional = { ...passed, checks: [{ ...first, outcome: 'fail', required: false } as (typeof passed.checks)[number], ...others] };
    const found = tags(renderJunit(dossier(optional)));
    expect(found[0]?.attributes).toMatchObject({ failures: '0', errors: '0' });
    expect(found.find(({ name }) => name === 'skipped')?.attributes.message).toMatch(/^not required, failed: /);
  });
});

describe.skipIf(!existsSync('/usr/bin/xmllint'))('xmllint', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-junit-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds the shape that continuous integration reads', async () => {
    const made = { record: await madeUpDossier(), drill: madeUpDrill(50), hostile: dossier(hostile), poisoned: poisoned(await madeUpDossier(), ATTACKS) };
    for (const [name, one] of Object.entries(made)) {
      const path = join(folder, `${name}.xml`);
      writeFileSync(path, renderJunit(one));
      execFileSync('xmllint', ['--noout', '--nonet', '--schema', join(import.meta.dirname, 'junit.xsd'), path], { stdio: 'pipe' });
    }
  });
  it('finds what has not that shape', () => {
    const path = join(folder, 'wrong.xml');
    writeFileSync(path, '<testsuites><testsuite name="x"><testcase name="y"/></testsuite></testsuites>');
    expect(() => execFileSync('xmllint', ['--noout', '--nonet', '--schema', join(import.meta.dirname, 'junit.xsd'), path], { stdio: 'pipe' })).toThrow();
  });
});
