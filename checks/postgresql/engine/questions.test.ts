import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnswers, questionsFor, questionsScript, questionsTimeoutMs } from '../../../src/engines/questions.js';
import type { SqlQuestion } from '../../../src/types.js';
import { psql } from './questions.js';

const question = (id: string, changes: Partial<SqlQuestion> = {}): SqlQuestion => ({
  id,
  instance: 'i',
  database: null,
  query: 'select 1',
  timeoutSeconds: 10,
  ...changes,
});
const TWO = { list: [question('a'), question('b')], token: '~t~' };
const encode = (text: string) => Buffer.from(text).toString('base64');
const line = (index: number, code: number, output: string, errors = '', rows = 0) =>
  `ask: ${index} ${code} 1500000000 ${Buffer.byteLength(output)} ${rows} ${encode(output)}- ${encode(errors)}-\n`;
const answerTo = (code: number, output: string, errors = '', rows = 0) => parseAnswers(line(0, code, output, errors, rows), TWO, 'psql', psql).a;

describe('questions', () => {
  it('are those for the instance, with marks that differ from run to run', () => {
    const all = [question('a'), question('b', { instance: 'j' })];
    expect(questionsFor('i', all).list).toEqual([question('a')]);
    expect(questionsFor('i', all).token).not.toBe(questionsFor('i', all).token);
    expect(questionsScript(questionsFor('k', all), psql)).toBe('');
    expect(questionsTimeoutMs(TWO)).toBeGreaterThan(20_000);
  });

  it('are quoted for the shell and for the connection', () => {
    const script = questionsScript({ ...TWO, list: [question('a', { database: "a'b\\c host=evil", query: "select 'x'; $(reboot)" })] }, psql);
    expect(script).toContain("'dbname='\\''a\\'\\''b\\\\c host=evil'\\'''");
    expect(script).toContain("'select '\\''x'\\''; $(reboot)'");
  });
});

describe('answers', () => {
  it('are rows of cells, NULL and empty told apart', () => {
    expect(answerTo(0, 'x\0~t~N\0~t~Ry\0\0z\n', '', 1)).toMatchObject({
      rowCount: 2,
      rows: [
        ['x', null, ''],
        ['y', '', 'z'],
      ],
      error: null,
      seconds: 1.5,
    });
    expect(answerTo(0, '\n')).toMatchObject({ rowCount: 1, rows: [['']] });
    expect(answerTo(0, '')).toMatchObject({ rowCount: 0, rows: [] });
  });

  it.each([
    ['psql:<stdin>:1: ERROR:  42P01: relation "x" does not exist', 1, 'absent'],
    ['psql: error: connection to server failed: FATAL:  database "x" does not exist', 2, 'absent'],
    ['ERROR:  XX001: invalid page in block 1 of relation base/5/1', 1, 'damage'],
    ['ERROR:  58P01: could not open file "base/5/16384": No such file or directory', 1, 'damage'],
    ['ERROR:  57014: canceling statement due to statement timeout', 1, 'timeout'],
    ['', 124, 'timeout'],
    ['ERROR:  42601: syntax error at or near "x"', 1, 'statement'],
    ['ERROR:  53100: could not write to file: No space left on device', 1, 'statement'],
    ['', 3, 'statement'],
  ])('%s is %s %s', (said, code, kind) => {
    expect(answerTo(code, '', said)?.error?.kind).toBe(kind);
  });

  it('never throw and stay small, whatever is printed', () => {
    const part = fc.constantFrom('ask: ', '0 ', '1 ', '-1 ', '999999999999 ', `${encode('~t~R')}-`, '- ', '\n', line(0, 0, 'x\n'), '\0');
    const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary' })), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (stdout) => {
        const answers = parseAnswers(stdout, TWO, 'psql', psql);
        for (const [id, { rows }] of Object.entries(answers)) {
          expect(['a', 'b']).toContain(id);
          expect(rows.length).toBeLessThanOrEqual(20);
        }
      }),
    );
  });
});
