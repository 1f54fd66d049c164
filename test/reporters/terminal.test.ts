import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderSummary } from '../../src/reporters/summary.js';
import { renderRecord } from '../../src/reporters/terminal.js';
import { textWidth } from '../../src/reporters/text.js';
import { failed, hostile, inconclusive, passed } from './records.js';

const golden = (name: string): string => join(import.meta.dirname, 'golden', `${name}.txt`);
const STORED = '/home/admin/.local/state/snapproof/ledger.sqlite (entry 17)';
// What a terminal would obey.
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const RECORDS = { passed, failed, inconclusive, hostile };

describe('the report of one record', () => {
  it.each(Object.entries(RECORDS))('%s, 80 columns, without colour', async (name, record) => {
    const text = renderRecord(record, { color: false, width: 80, storedAt: STORED });
    await expect(text).toMatchFileSnapshot(golden(name));
    expect(text).not.toMatch(CONTROLS);
  });
  it.each(Object.entries(RECORDS))('%s keeps within the width', (_name, record) => {
    for (const width of [60, 80, 132]) {
      const widest = Math.max(...renderRecord(record, { color: false, width, storedAt: STORED }).split('\n').map(textWidth));
      expect(widest).toBeLessThanOrEqual(width);
    }
  });
  it('says with colour the same as without', () => {
    for (const record of Object.values(RECORDS)) {
      const coloured = renderRecord(record, { color: true, width: 80 });
      expect(coloured).not.toBe(renderRecord(record, { color: false, width: 80 }));
      const plain = coloured.replace(/\u001b\[\d+(;\d+)*m/g, '');
      expect(plain).toBe(renderRecord(record, { color: false, width: 80 }));
    }
  });
  it('begins with the verdict', () => {
    expect(renderRecord(failed, { color: false })).toMatch(/^FAILED: /);
    expect(renderRecord(passed, { color: false })).toMatch(/^PASSED: /);
    expect(renderRecord(inconclusive, { color: false })).toMatch(/^INCONCLUSIVE: /);
  });
});

describe('long lists', () => {
  it('are cut, and say how much is left out', () => {
    const untested = Array.from({ length: 1000 }, (_, index) => ({ what: `thing ${index}`, why: 'no time', holdsData: true }));
    const text = renderRecord({ ...passed, coverage: { ...passed.coverage, untested } }, { color: false });
    expect(text).toContain('thing 59 ');
    expect(text).toContain('  and 940 more, in the record');
    expect(text.split('\n').length).toBeLessThan(150);
  });
});

describe('the summary of several records', () => {
  it('has the worst first, 80 columns, without colour', async () => {
    const text = renderSummary([passed, inconclusive, failed, hostile], { color: false, width: 80 });
    await expect(text).toMatchFileSnapshot(golden('summary'));
    expect(text).not.toMatch(CONTROLS);
  });
  it('says so when there is none', () => {
    expect(renderSummary([], { color: false })).toBe('0 restore points: 0 passed, 0 failed, 0 inconclusive.\n');
  });
});
