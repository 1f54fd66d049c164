import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wantsColour } from '../../src/reporters/colour.js';
import { table, textWidth, wrap } from '../../src/reporters/text.js';
import { formatBytes, formatBytesOf, formatInstant, formatSeconds } from '../../src/reporters/units.js';

describe('lines', () => {
  it('are as wide as a terminal shows them', () => {
    expect([textWidth('abc'), textWidth('数据'), textWidth('e\u0301'), textWidth('😀')]).toEqual([3, 4, 1, 2]);
  });
  it('never exceed the width, and lose nothing but blanks', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 60 }).map((word) => word.replace(/\s/g, '_'))), fc.integer({ min: 30, max: 100 }), (words, width) => {
        const text = words.join(' ');
        const lines = wrap(text, { width, first: '  1. ' });
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
        expect(
          lines
            .join('')
            .slice(lines[0]?.length ? 4 : 0)
            .replace(/ /g, '')
            .replace('1.', ''),
        ).toBe(text.replace(/ /g, '').replace('1.', ''));
      }),
    );
  });
  it('stand in columns', () => {
    expect(
      table(
        [
          ['A', 'B'],
          ['数据', '1'],
          ['x', '22'],
        ],
        [1],
      ),
    ).toEqual(['A      B', '数据   1', 'x     22']);
  });
});

describe('units', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [10_900_000, '11 MB'],
    [999_600, '1 MB'],
    [1_536_000_000, '1.5 GB'],
    [2 ** 50, '1.1 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
  it('bytes of bytes share a unit', () => {
    expect(formatBytesOf(312_000_000, 628_000_000)).toBe('312 of 628 MB');
    expect(formatBytesOf(700_000_000, 628_000_000)).toBe('628 of 628 MB');
    expect(formatBytesOf(1, 1)).toBe('1 of 1 byte');
    expect(formatBytesOf(5, 100)).toBe('5 of 100 bytes');
  });
  it.each([
    [0, 'under 0.1 s'],
    [0.4, '0.4 s'],
    [6, '6 s'],
    [9.96, '10 s'],
    [59.7, '1 min'],
    [200, '3 min 20 s'],
    [7500, '2 h 5 min'],
    [7199.9, '2 h'],
  ])('%d s are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
  it('instants lose what nobody reads', () => {
    expect(formatInstant('2026-11-20T01:30:12.345Z')).toBe('2026-11-20 01:30 UTC');
    expect(formatInstant('last night')).toBe('last night');
  });
});

describe('colour', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{}, {}, false],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{}, { FORCE_COLOR: '1' }, true],
    [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
    [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('stream %j with %j: %s', (stream, env, wanted) => {
    expect(wantsColour(stream, env)).toBe(wanted);
  });
});
