import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { madeUpDossier, madeUpDrill } from '../../fixtures/reports/dossiers.js';
import { rulesNamed } from '../../src/compliance/index.js';
import { canonicalJson } from '../../src/ledger/canonical.js';
import type { DrillDossier, RecordDossier, Setting } from '../../src/reporters/dossier.js';
import { EXTENSIONS, FORMATS, formatOfFile, render } from '../../src/reporters/formats.js';
import { plain } from '../../src/reporters/markdown-report.js';
import { ATTACKS, poisoned } from './html/hostile.js';

const setting: Setting = { checks: new Map(), rules: rulesNamed(['NIS2']), rulesInFull: true, writtenAt: '2026-11-20T10:00:00.000Z', version: '0.0.0' };
const golden = (name: string): string => join(import.meta.dirname, 'golden', name);

/** Half a surrogate pair has no canonical form, and so is never stored. */
const STORED = ATTACKS.filter((text) => !/\p{Surrogate}/u.test(text));

let record: RecordDossier;
let drill: DrillDossier;
beforeAll(async () => {
  record = await madeUpDossier('failed', 3);
  drill = madeUpDrill(24, 2);
});

describe('a report', () => {
  it.each(['text', 'markdown', 'junit', 'csv'] as const)('as %s reads as it was agreed', async (format) => {
    await expect(render(record, format, setting)).toMatchFileSnapshot(golden(`record.${EXTENSIONS[format]}`));
    await expect(render(drill, format, setting)).toMatchFileSnapshot(golden(`drill.${EXTENSIONS[format]}`));
  });
  it('ends with a line feed and has no control characters, whatever the strings are', () => {
    for (const format of FORMATS)
      for (const dossier of [poisoned(record, STORED), poisoned(drill, STORED)]) {
        const text = render(dossier, format, setting);
        expect(text.endsWith('\n')).toBe(true);
        if (format !== 'jsonl') expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }
  });
  it('knows the format by the end of a name', () => {
    expect([formatOfFile('a.HTML'), formatOfFile('a.htm'), formatOfFile('a.xml'), formatOfFile('a.md'), formatOfFile('a')]).toEqual([
      'html',
      'html',
      'junit',
      'markdown',
      null,
    ]);
  });
});

describe('JSON Lines', () => {
  it('hold each document in its canonical form, the one that was asked for first', () => {
    const lines = render(drill, 'jsonl', setting).trimEnd().split('\n');
    expect(lines[0]).toBe(canonicalJson(drill.drill));
    expect(lines).toHaveLength(1 + drill.records.size + drill.signOffs.length);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ schema: 'snapproof.record/v1' });
  });
});

/** RFC 4180, as strict as it can be read. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at < text.length) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(text.slice(at, at + 100_000));
    if (!match) throw new Error(`no cell at ${at}: ${text.slice(at, at + 60)}`);
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') rows.push([]);
    at += match[0].length;
  }
  return rows.slice(0, -1);
}

describe('CSV', () => {
  it('has the same number of cells in every row, and no cell that a spreadsheet would run', () => {
    for (const dossier of [record, drill, poisoned(record, ATTACKS), poisoned(drill, ATTACKS)]) {
      const rows = parseCsv(render(dossier, 'csv', setting));
      expect(new Set(rows.map((row) => row.length))).toEqual(new Set([14]));
      for (const cell of rows.flat()) expect(cell).not.toMatch(/^\s*[=+\-@|%]/);
    }
  });
  it('has a row for the verdict, for each check, and for each thing that was not tested', () => {
    const kinds = parseCsv(render(record, 'csv', setting)).map(([kind]) => kind);
    const of = (wanted: string): number => kinds.filter((kind) => kind === wanted).length;
    expect([of('verdict'), of('check'), of('untested')]).toEqual([1, record.document.checks.length, record.document.coverage.untested.length]);
  });
});

describe('Markdown', () => {
  it('makes text of what would be more', () => {
    expect(plain('a *b* [c](http://x) <i>|`~#')).toBe('a \\*b\\* \\[c\\](http\\://x) \\<i\\>\\|\\`\\~\\#');
    expect([plain('- a'), plain('1. a'), plain('+ a'), plain('www.x.org')]).toEqual(['\\- a', '1\\. a', '\\+ a', 'www\\.x.org']);
  });
  it('leaves no mark without a backslash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plain(text).replace(/\\[^\n]/g, '')).not.toMatch(/[`*_[\]<>|~]|:\/\//);
      }),
    );
  });
  it('keeps every row of a table on its line', () => {
    const rows = render(poisoned(record, ATTACKS), 'markdown', setting)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    for (const row of rows) expect(row).toMatch(/\|$/);
  });
});
