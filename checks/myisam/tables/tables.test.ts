import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import { FormatError } from '../../../src/errors.js';
import { parseState } from '../format.js';
import check, { evaluateMyisam, readMyisam } from './index.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-myisam-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function table(name: string, { open = 0, changed = 0, dataBytes = 100 } = {}): void {
  const head = Buffer.alloc(1024);
  head.writeUInt32BE(0xfefe0701, 0);
  head.writeUInt16BE(open, 24);
  head[26] = changed;
  head.writeUInt32BE(3, 32);
  head.writeUInt32BE(1024, 64);
  head.writeUInt32BE(dataBytes, 72);
  writeFileSync(join(folder, `${name}.MYI`), head);
  writeFileSync(join(folder, `${name}.MYD`), Buffer.alloc(100));
}

async function judge() {
  const instance = { id: 'i', engine: 'innodb', version: null, location: { volume: 'v', path: '/' }, links: [], facts: {} };
  return evaluateMyisam(await readMyisam(instance, new FolderFiles({ v: folder }), new AbortController().signal));
}

describe(check.id, () => {
  it('passes closed tables, and says what it cannot see', async () => {
    table('a', { changed: 0x39 }); // changed, not analysed, not optimised
    expect(await judge()).toMatchObject({ outcome: 'pass', instanceState: 'clean', untested: [{ what: 'bit rot in MyISAM tables', holdsData: false }] });
  });

  it('leaves open tables untested', async () => {
    table('a', { open: 1 });
    const judgement = await judge();
    expect(judgement).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
    expect(judgement.untested.some((item) => item.holdsData)).toBe(true);
  });

  it.each([
    ['short data', () => table('a', { dataBytes: 101 })],
    ['a crash mark', () => table('a', { changed: 2 })],
    ['a missing data file', () => rmSync(join(folder, 'sound.MYD'))],
    ['a missing index', () => rmSync(join(folder, 'sound.MYI'))],
    ['a header that is none', () => writeFileSync(join(folder, 'sound.MYI'), Buffer.alloc(1024))],
  ])('fails %s', async (_name, damage) => {
    table('sound');
    damage();
    expect(await judge()).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });

  it('reads any header within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        try {
          parseState(Buffer.from([0xfe, 0xfe, 7, 1, ...noise]));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});
