import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findIn, mostTelling, parseAnswer } from '../../src/engines/answer.js';

describe('the answer of a script', () => {
  it('is marks and lines, the first mark of a name counting', () => {
    const { marks, lines } = parseAnswer('@@ up\n@@ tables 3\n@@ tables 9\nlog: a\nlate: b\nother: c\n@@ start-ns 1500000000\n', ['log', 'late']);
    expect([marks.has('up'), marks.has('down'), marks.integer('tables'), marks.seconds('start-ns')]).toEqual([true, false, 3, 1.5]);
    expect(lines).toEqual({ log: ['a'], late: ['b'] });
  });

  it('has no number that is none', () => {
    const { marks } = parseAnswer(`@@ a 9e9\n@@ b -1\n@@ c ${'9'.repeat(16)}\n@@ d\n`, []);
    expect(['a', 'b', 'c', 'd', 'e'].map((name) => marks.integer(name))).toEqual([null, null, null, null, null]);
  });

  it('keeps no name that means something to JavaScript, and no endless line', () => {
    const { marks, lines } = parseAnswer(`__proto__: x\nconstructor: x\n@@ constructor x\nlog: ${'y'.repeat(9999)}`, ['log']);
    expect(marks.has('hasOwnProperty')).toBe(false);
    expect(Object.keys(lines)).toEqual(['log']);
    expect(lines.log[0]?.length).toBe(400);
  });

  it('never throws, whatever is printed', () => {
    const word = fc.constantFrom('@@ ', 'up', 'log: ', '\n', '\0', ' 9');
    const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 100 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, (stdout) => parseAnswer(stdout, ['log']).lines.log.every((line) => line.length <= 400)));
  });
});

describe('lines', () => {
  it('that tell the most come first, each once', () => {
    const kindOf = (line: string) => line.charAt(0);
    expect(mostTelling(['b1', 'x', 'b1', 'a1', 'b2', 'a2'], kindOf, ['a', 'b'], 3)).toEqual(['a1', 'a2', 'b1']);
    expect(findIn(['none', 'LSN=12', 'LSN=13'], /LSN=(\d+)/)).toBe('12');
  });
});
