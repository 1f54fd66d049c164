import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnswers, questionsScript } from '../../../src/engines/questions.js';
import type { SqlQuestion } from '../../../src/types.js';
import { mariadbClient } from './questions.js';

const question = (id: string, changes: Partial<SqlQuestion> = {}): SqlQuestion => ({
  ...{ id, instance: 'i', database: null, query: 'select 1', timeoutSeconds: 10, ...changes },
});
const TWO = { list: [question('a'), question('b')], token: '~t~' };
const encode = (text: string) => Buffer.from(text).toString('base64');
const line = (code: number, output: string, errors = '', rows = 0) =>
  `ask: 0 ${code} 1500000000 ${Buffer.byteLength(output)} ${rows} ${encode(output)}- ${encode(errors)}-\n`;
const answerTo = (code: number, output: string, errors = '', rows = 0) => parseAnswers(line(code, output, errors, rows), TWO, 'client', mariadbClient).a;

/** As the client of MariaDB 10.11 prints it. */
const result = (...rows: string[]) =>
  `<?xml version="1.0"?>\n\n<resultset statement="select" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${rows.map((row) => `\n  <row>\n${row}  </row>\n`).join('')}</resultset>\n`;
const field = (value: string | null) => (value === null ? '\t<field name="b" xsi:nil="true" />\n' : `\t<field name="b">${value}</field>\n`);

describe('the client of MariaDB', () => {
  it('is given names and queries as they are, and no commands of its own', () => {
    const script = questionsScript({ ...TWO, list: [question('a', { database: "a'b $(x)", query: "select 'x'; $(reboot)" })] }, mariadbClient);
    expect(script).toContain("ask 0 10 'a'\\''b $(x)' 'select '\\''x'\\''; $(reboot)'");
    expect(script).toContain('--binary-mode');
    expect(script).toContain('tx_read_only=1');
  });

  it('tells NULL from texts, and values from its own marks', () => {
    const hostile = '&lt;/field&gt;&lt;row&gt;&amp;amp;\n&quot;@@ up';
    expect(answerTo(0, result(field(null) + field('') + field('NULL') + field(hostile), field('2')), '', 2)).toMatchObject({
      rowCount: 2,
      rows: [[null, '', 'NULL', '</field><row>&amp;\n"@@ up'], ['2']],
      error: null,
      seconds: 1.5,
    });
    expect(answerTo(0, result())).toMatchObject({ rowCount: 0, rows: [], error: null });
    expect(answerTo(0, '')).toMatchObject({ rowCount: 0, rows: [], error: null });
  });

  it('is not believed where it answers several statements', () => {
    expect(answerTo(0, result(field('1')) + result(field('2')), '', 2)?.error).toEqual({ kind: 'statement', text: 'it must be one statement' });
  });

  it.each([
    ["ERROR 1146 (42S02) at line 1: Table 'shop.nowhere' doesn't exist", 1, 'absent'],
    ["ERROR 1049 (42000): Unknown database 'nodb'", 1, 'absent'],
    ["ERROR 1932 (42S02) at line 1: Table 'shop.t' doesn't exist in engine", 1, 'damage'],
    ["ERROR 1034 (HY000) at line 1: Incorrect key file for table 'plain'; try to repair it", 1, 'damage'],
    ['ERROR 1030 (HY000) at line 1: Got error 176 "Read page with wrong checksum" from storage engine Aria', 1, 'damage'],
    ['ERROR 1030 (HY000) at line 1: Got error 28 "No space left on device" from storage engine Aria', 1, 'statement'],
    ['ERROR 1969 (70100) at line 1: Query execution was interrupted (max_statement_time exceeded)', 1, 'timeout'],
    ['', 124, 'timeout'],
    ['ERROR 1064 (42000) at line 1: You have an error in your SQL syntax', 1, 'statement'],
    ['ERROR 2013 (HY000) at line 1: Lost connection to server during query', 1, 'statement'],
    ['', 3, 'statement'],
  ])('%s is %s %s', (said, code, kind) => {
    expect(answerTo(code, '', said)?.error?.kind).toBe(kind);
  });

  it('may print what it likes: nothing throws, and rows stay few', () => {
    const part = fc.constantFrom('<row>', '</row>', '<resultset ', '<field name="', '">', '</field>', ' xsi:nil="true" />', '&lt;', '&', '\n', '\0');
    const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary' })), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.nat({ max: 200 }), (output, code) => {
        const answer = answerTo(code, output, output, 3);
        expect(answer?.rows.length ?? 0).toBeLessThanOrEqual(20);
      }),
    );
  });
});
