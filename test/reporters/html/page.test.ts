import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { madeUpDossier, madeUpDrill } from '../../../fixtures/reports/dossiers.js';
import { RULES } from '../../../src/compliance/index.js';
import type { Dossier, DrillDossier, RecordDossier, Setting } from '../../../src/reporters/dossier.js';
import { filledIn } from '../../../src/reporters/dossier.js';
import { render } from '../../../src/reporters/formats.js';
import { hostile, inconclusive, passed } from '../records.js';
import { ATTACKS, hostileText, poisoned } from './hostile.js';
import { attribute, parsed } from './parsed.js';

const setting: Setting = { checks: new Map(), rules: RULES, rulesInFull: true, writtenAt: '2026-11-20T10:00:00.000Z', version: '0.0.0' };
const page = (dossier: Dossier, changes: Partial<Setting> = {}): string => render(dossier, 'html', { ...setting, ...changes });
const plain = (record: typeof passed): RecordDossier => ({
  ...{ kind: 'record', document: record, record: filledIn(record), place: null, earlier: [], signOffs: [], artefacts: new Map() },
});

let record: RecordDossier;
let drill: DrillDossier;
beforeAll(async () => {
  record = await madeUpDossier();
  drill = madeUpDrill(60);
});

/** What no page may hold, whatever its strings are. */
function expectHarmless(html: string): void {
  const { elements, errors } = parsed(html);
  expect(errors).toEqual([]);
  const names = new Set(elements.map(({ tagName }) => tagName));
  for (const name of [
    'script',
    'iframe',
    'object',
    'embed',
    'form',
    'input',
    'base',
    'foreignObject',
    'animate',
    'set',
    'use',
    'image',
    'audio',
    'video',
    'template',
  ])
    expect(names).not.toContain(name);
  for (const element of elements)
    for (const { name, value } of element.attrs) {
      expect(name).not.toMatch(/^on|^style$|^srcdoc$/);
      if (name === 'href') expect(value).toMatch(/^#[A-Za-z0-9-]+$|^data:,$/);
      if (name === 'src') expect(value).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/=]+$/);
    }
  expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/);
}

describe('a page', () => {
  it('is one file without anything that could run or load', () => {
    for (const dossier of [record, drill]) expectHarmless(page(dossier));
  });
  it('says so to the browser, with the digest of its own style', () => {
    for (const dossier of [record, drill]) {
      const html = page(dossier);
      const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
      const digest = createHash('sha256').update(style).digest('base64');
      expect(html).toContain(`default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`);
      expect(style).not.toMatch(/url\(|@import|expression/);
    }
  });
  it('stays harmless when every string is hostile, and shows all of them', () => {
    for (const dossier of [record, drill]) {
      const html = page(poisoned(dossier, ATTACKS));
      expectHarmless(html);
      const { text } = parsed(html);
      for (const seen of ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '\\u{202e}gnp.exe\\u{2066}', '&lt;b&gt;&amp;amp;'])
        expect(text).toContain(seen);
    }
  });
  it('stays harmless for any strings', () => {
    const small = madeUpDrill(3, 1);
    fc.assert(
      fc.property(fc.array(hostileText(), { minLength: 1, maxLength: 7 }), (texts) => {
        expectHarmless(page(poisoned({ ...record, earlier: record.earlier.slice(-2) }, texts)));
        expectHarmless(page(poisoned(small, texts)));
      }),
      { numRuns: 10 },
    );
  }, 60_000);
  it('has every id once, and every link leads to one', () => {
    for (const dossier of [record, drill]) {
      const { elements } = parsed(page(dossier));
      const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
      expect(ids).toHaveLength(new Set(ids).size);
      const referred = elements
        .flatMap((element) => [attribute(element, 'href')?.slice(1), ...(attribute(element, 'aria-labelledby')?.split(' ') ?? [])])
        .filter((id) => id && id !== 'ata:,');
      for (const id of referred) expect(ids).toContain(id);
    }
  });
  it('says the verdict in words, and lists what was not tested', () => {
    const { text } = parsed(page(plain(inconclusive)));
    expect(text).toContain('INCONCLUSIVE');
    expect(text).toContain('encrypted volume disk2');
    expect(text).toContain('may hold data');
    expect(text).toContain('It was not stored in a ledger.');
  });
  it('tells what a record of an older version does not hold, and does not fail', () => {
    const { policy: _policy, ways: _ways, artefacts: _artefacts, instances: _instances, drill: _drill, ...older } = passed;
    const { text } = parsed(page(plain(older as typeof passed)));
    expect(text).toContain('not kept by the version that made this record');
    expect(text).toContain('Not tried');
  });
  it('shows only artefacts that are there, and says what is missing', () => {
    const { elements, text } = parsed(page({ ...record, artefacts: new Map() }));
    expect(elements.filter(({ tagName }) => tagName === 'img')).toEqual([]);
    expect(text).toMatch(/6 of 6 could not be shown/);
  });
  it('does not fail for artefacts that are none', () => {
    const broken = new Map(
      [...record.artefacts].map(([sha256, bytes], index) => [sha256, index % 2 ? bytes.slice(0, 40) : Buffer.from('[{"wallMs":"x"},null,3]')]),
    );
    expectHarmless(page({ ...record, artefacts: broken }));
  });
  it('of a hostile record is harmless', () => {
    expectHarmless(page(plain(hostile)));
  });
  it('names every clause of the rule that was asked for, with its source, and of no other', () => {
    const dora = RULES.filter(({ id }) => id === 'DORA');
    const { text } = parsed(page(drill, { rules: dora }));
    for (const { clause } of dora[0]?.clauses ?? []) expect(text).toContain(clause);
    expect(text).toContain('Regulation (EU) 2022/2554');
    expect(text).not.toContain('164.308');
  });
});

describe('the page of a drill', () => {
  it('has a row for each restore point, the worst first', () => {
    const { text } = parsed(page(drill));
    for (const { machine } of drill.drill.items) expect(text).toContain(machine);
    expect(text.indexOf('not reached')).toBeGreaterThan(text.indexOf('failed'));
  });
  it('with 500 records takes less than 5 seconds and 20 MB', () => {
    const large = madeUpDrill(500);
    const start = performance.now();
    const html = page(large);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(Buffer.byteLength(html)).toBeLessThan(20_000_000);
  }, 60_000);
});
