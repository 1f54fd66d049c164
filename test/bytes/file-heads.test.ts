import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fileHeads } from '../../src/bytes/file-heads.js';
import { FolderFiles } from '../../src/bytes/folder-files.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-heads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('gives the first bytes of every readable file, fewer where it is shorter', async () => {
  writeFileSync(join(folder, 'a'), 'abcdef');
  writeFileSync(join(folder, 'b'), 'xy');
  writeFileSync(join(folder, 'c'), '');
  symlinkSync('a', join(folder, 'd'));
  const files = new FolderFiles({ v: folder });
  const entries = await files.list({ volume: 'v', path: '/' });
  const heads: Record<string, string> = {};
  for await (const { entry, head } of fileHeads(files, entries, 4)) heads[entry.location.path] = head.toString();
  expect(heads).toEqual({ '/a': 'abcd', '/b': 'xy', '/c': '' });
});
