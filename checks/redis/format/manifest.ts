/**
 * The manifest of a multi-part append-only file (Redis 7, Valkey): one line per file, `file NAME seq NUMBER type b|i|h`
 * (base, incremental, history). Source: Redis' documentation of persistence ("Multi part AOF mechanism").
 */
import { FormatError } from '../../../src/errors.js';

export interface ManifestFile {
  name: string;
  sequence: number;
  type: 'base' | 'incremental' | 'history';
}

/** The server refuses longer lines. */
const MAX_LINE = 1024;
const MAX_FILES = 10_000;
const TYPES = { b: 'base', i: 'incremental', h: 'history' } as const;

/** In the order in which the server loads them. @throws FormatError where the server refuses the manifest */
export function parseManifest(text: string): ManifestFile[] {
  if (text === '') throw bad('it is empty');
  const lines = text.split('\n');
  if (lines.pop() !== '') throw bad('its last line does not end');
  if (lines.length > MAX_FILES) throw bad(`it has ${lines.length} lines`);
  const files = lines.filter((line) => !line.startsWith('#')).map(parseLine);
  if (files.filter(({ type }) => type === 'base').length > 1) throw bad('it names two base files');
  let last = 0;
  for (const { type, sequence } of files) {
    if (type !== 'incremental') continue;
    if (sequence <= last) throw bad(`the incremental file ${sequence} follows the file ${last}`);
    last = sequence;
  }
  return [...files.filter(({ type }) => type === 'base'), ...files.filter(({ type }) => type === 'incremental')];
}

function parseLine(line: string): ManifestFile {
  if (line.length >= MAX_LINE) throw bad('a line is too long');
  const words = wordsOf(line.replace(/\r$/, ''));
  const facts = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) facts.set((words[i] as string).toLowerCase(), words[i + 1] as string);
  const name = facts.get('file') ?? '';
  const type = TYPES[(facts.get('type') ?? '') as keyof typeof TYPES];
  const sequence = Number(facts.get('seq'));
  if (words.length % 2 !== 0 || name === '' || !type || !Number.isSafeInteger(sequence) || sequence < 1)
    throw bad(`a line cannot be read: ${line.slice(0, 80)}`);
  if (/[/\0]/.test(name) || name === '..') throw bad('a file has the name of a path');
  return { name, sequence, type };
}

/** Words between spaces; quotes hold one together, with escapes as in C. */
function wordsOf(line: string): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']+/g) ?? [];
  return words.map((word) => (/^["']/.test(word) ? word.slice(1, -1).replace(/\\x([0-9a-f]{2})|\\(.)/gi, unescaped) : word));
}

function unescaped(_: string, hex: string | undefined, letter: string | undefined): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  return { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' }[letter ?? ''] ?? letter ?? '';
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'redis.aof.manifest', message });
}
