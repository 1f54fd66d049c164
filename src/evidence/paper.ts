/**
 * A head of the ledger as text for paper. Who copies digits by hand makes mistakes, so every line of 16 has a word made from its SHA-256:
 * one mistake in a line goes unseen once in 4096 times.
 */
import { createHash } from 'node:crypto';
import type { LedgerHead } from '../ledger/index.js';

export interface PaperFacts {
  appendedAt: string | null;
  keyId: string | null;
  printedAt: Date;
}

const STARTS = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'w', 'z', 'j'];
const VOWELS = ['a', 'e', 'i', 'o'];

/** Two syllables for two bytes of the digest: `bado`, `meti`. 4096 words. */
export function checkWord(text: string): string {
  const digest = createHash('sha256').update(text, 'utf8').digest();
  return [digest.readUInt8(0), digest.readUInt8(1)].map((byte) => `${STARTS[byte >> 4]}${VOWELS[byte & 3]}`).join('');
}

/** Digits in groups of four, four groups a line, each with its word. */
export function hashLines(hash: string): string[] {
  const lines = hash.match(/.{1,16}/g) ?? [];
  return lines.map((line) => `${(line.match(/.{1,4}/g) ?? []).join(' ')}   ${checkWord(line)}`);
}

export function paperHead(head: LedgerHead, { appendedAt, keyId, printedAt }: PaperFacts): string {
  const hash = hashLines(head.hash).map((line, index) => `${index === 0 ? 'Hash:    ' : '         '}${line}`);
  const key = keyId === null ? ['Key:     none'] : hashLines(keyId).map((line, index) => `${index === 0 ? 'Key:     ' : '         '}${line}`);
  return [
    'SNAPPROOF LEDGER HEAD',
    '',
    `Entry:   ${head.count}`,
    `Stored:  ${appendedAt ?? 'nothing yet'}`,
    `Printed: ${printedAt.toISOString()}`,
    ...hash,
    ...key,
    '',
    'Signed by (name, date): ______________________________',
    '',
    'To check it later (blanks do not matter):',
    `  snapproof ledger verify --head "${(head.hash.match(/.{1,4}/g) ?? []).join(' ')}"`,
    'The word behind a line is made from its digits: a mistake in copying gives another word.',
    '',
  ].join('\n');
}
