/**
 * A question to Redis: one command, written as for `redis-cli`. Only commands that read, and answer with one value or one plain list.
 * Source: https://redis.io/docs/latest/commands/ (flag `readonly`; those of before version 3 on, and some newer ones).
 */

export const READING: ReadonlySet<string> = new Set(
  [
    ...['DBSIZE', 'EXISTS', 'TYPE', 'KEYS', 'TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME'],
    ...['GET', 'MGET', 'STRLEN', 'GETRANGE', 'SUBSTR', 'GETBIT', 'BITCOUNT', 'BITPOS'],
    ...['HGET', 'HMGET', 'HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'HEXISTS', 'HSTRLEN'],
    ...['LLEN', 'LINDEX', 'LRANGE', 'LPOS'],
    ...['SCARD', 'SISMEMBER', 'SMISMEMBER', 'SMEMBERS', 'SINTER', 'SINTERCARD', 'SUNION', 'SDIFF'],
    ...['ZCARD', 'ZCOUNT', 'ZLEXCOUNT', 'ZSCORE', 'ZMSCORE', 'ZRANK', 'ZREVRANK', 'ZRANGE', 'ZREVRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE', 'ZRANGEBYLEX'],
    ...['XLEN', 'GEODIST', 'GEOHASH'],
  ].map((name) => name.toLowerCase()),
);

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const MAX_WORDS = 1000;
/** A space ends a word; `"` and `'` hold words together, and in the former a backslash is understood. */
const WORD = /\s*(?:"((?:[^"\\]|\\[\s\S])*)"|'((?:[^'\\]|\\[\s\S])*)'|([^\s"']+))(?=\s|$)/y;

/** The words of a command. @throws RangeError in words for people when it is none, or may do more than read. */
export function readingCommand(query: string): string[] {
  const words = wordsOf(query.trim());
  const [name = ''] = words;
  if (!READING.has(name.toLowerCase())) {
    throw new RangeError(
      `${JSON.stringify(name.slice(0, 60))} is none of the commands that may be asked, which only read and give one value or one list (see checks/redis/README.md)`,
    );
  }
  if (words.some((word) => word.includes('\0'))) throw new RangeError('it holds a zero byte, which cannot be handed to a program');
  return words;
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const match = WORD.exec(text);
    if (!match || words.length >= MAX_WORDS) throw new RangeError('its quotes do not match, or it has too many words');
    const [, double, single, plain] = match;
    words.push(double !== undefined ? unescaped(double) : (single?.replace(/\\'/g, "'") ?? plain ?? ''));
  }
  return words;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_, hex: string | undefined, other: string) =>
    hex === undefined ? (ESCAPES[other] ?? other) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const DATABASE = /^\d{1,4}$/;

/** Databases of Redis are numbers. @throws RangeError */
export function databaseNumber(database: string | null): string {
  if (database !== null && !DATABASE.test(database)) throw new RangeError('databases of Redis are numbers, from 0 on');
  return database ?? '0';
}
