import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnswers, questionsScript } from '../../../src/engines/questions.js';
import type { SqlQuestion } from '../../../src/types.js';
import { readingCommand } from './command.js';
import { forShell, redisClient } from './questions.js';

const question = (id: string, changes: Partial<SqlQuestion> = {}): SqlQuestion => ({
  ...{ id, instance: 'i', database: null, query: 'DBSIZE', timeoutSeconds: 10, ...changes },
});
const ONE = { list: [question('a')], token: '~t~' };
const encode = (text: string) => Buffer.from(text).toString('base64');
const line = (code: number, output: string, errors = '', rows = 1) =>
  `ask: 0 ${code} 1500000000 ${Buffer.byteLength(output)} ${rows} ${encode(output)}- ${encode(errors)}-\n`;
const answerTo = (code: number, output: string, errors = '', rows = 1) => parseAnswers(line(code, output, errors, rows), ONE, 'client', redisClient).a;

describe('a command for Redis', () => {
  it('is taken apart as redis-cli does', () => {
    expect(readingCommand('get shop:1')).toEqual(['get', 'shop:1']);
    expect(readingCommand(`  HGET  "a key" 'it\\'s' `)).toEqual(['HGET', 'a key', "it's"]);
    expect(readingCommand('GET "\\x41\\n\\"$(x)"')).toEqual(['GET', 'A\n"$(x)']);
    expect(readingCommand('LRANGE queue 0 -1')).toEqual(['LRANGE', 'queue', '0', '-1']);
  });

  it.each([
    'SET a 1',
    'DEL a',
    'EVAL "return 1" 0',
    'FLUSHALL',
    'GETDEL a',
    'SHUTDOWN',
    'CONFIG GET dir',
    'XRANGE s - +',
    'SORT a',
    '',
    '--version',
    '"get a"',
    'GET "a',
    "GET a'b'",
    'GET "a\\x00b"',
  ])('that may do more than read is refused: %s', (query) => {
    expect(() => readingCommand(query)).toThrow(RangeError);
  });

  it('reaches the client word by word, whatever is in it', () => {
    const script = questionsScript({ ...ONE, list: [forShell(question('a', { query: `GET "it's $(reboot)"`, database: '3' }))] }, redisClient);
    expect(script).toContain(`ask 0 10 '3' ''\\''GET'\\'' '\\''it'\\''\\'\\'''\\''s $(reboot)'\\'''`);
    expect(() => forShell(question('a', { database: 'shop' }))).toThrow('numbers');
  });

  it('of any text is taken apart or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          expect(readingCommand(`GET ${text}`)[0]).toBe('GET');
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('the client of Redis', () => {
  it.each([
    ['(integer) 42', ['42']],
    ['"shop"', ['shop']],
    ['(nil)', [null]],
    ['"(nil)"', ['(nil)']],
    ['""', ['']],
    ['string', ['string']],
    ['"\\"a\\\\b\\n\\xc3\\xa4~t\\x7e"', ['"a\\b\nä~t~']],
  ])('%s is %j', (shown, row) => {
    expect(answerTo(0, `~t~${shown}\n`)).toMatchObject({ rowCount: 1, rows: [row], error: null, seconds: 1.5 });
  });

  it('gives a row for each element of a list', () => {
    const shown = ['~t~ 9) "x"\n', '~t~10) (nil)\n', '~t~11) (integer) 3\n'].join('');
    expect(answerTo(0, shown, '', 3)).toMatchObject({ rowCount: 3, rows: [['x'], [null], ['3']] });
    expect(answerTo(0, '', '', 0)).toMatchObject({ rowCount: 0, rows: [], error: null });
    expect(answerTo(0, '~t~1) 1) "a"\n~t~   2) "b"\n', '', 2)?.error).toMatchObject({ kind: 'statement' });
  });

  it.each([
    ['(error) WRONGTYPE Operation against a key holding the wrong kind of value', 1, 'absent'],
    ["(error) ERR wrong number of arguments for 'get' command", 1, 'statement'],
    ['Could not connect to Redis', 1, 'statement'],
    ['', 124, 'timeout'],
    ['', 137, 'timeout'],
  ])('%s with exit code %i is %s', (said, code, kind) => {
    expect(answerTo(code, '', said, 0)?.error?.kind).toBe(kind);
  });

  it('may print what it likes: nothing throws, and rows stay few', () => {
    const part = fc.constantFrom('~t~', '1) ', '"', '\\x', '\\', '(integer) ', '(nil)', '\n', '\0');
    const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary' })), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.nat({ max: 200 }), (output, code) => void expect(answerTo(code, output, output, 3)?.rows.length ?? 0).toBeLessThanOrEqual(20)),
    );
  });
});
