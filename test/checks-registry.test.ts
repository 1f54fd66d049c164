/** Every check is whole: a README that explains it, tests, an id equal to its folder, and a place in the list of all checks. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../src/check.js';

const CHECKS = fileURLToPath(new URL('../checks', import.meta.url));
/** What a check proves is its first paragraph, under the title. */
const HEADINGS = ['How it works', 'Fails when', 'Passes although', 'Options', 'What to do'];

/** `family/name` of every folder that holds a check. */
function checkFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  const folders = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('/index.ts'));
  return folders
    .map(dirname)
    .filter((path) => path.split('/').length === 2)
    .sort();
}

/** What a check's folder lacks; empty when it is whole. */
function lacks(root: string, id: string, check: Check | undefined): string[] {
  const folder = join(root, id);
  const readme = existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : '';
  const headings = [...readme.matchAll(/^## +(.+?) *$/gm)].map((match) => match[1]?.toLowerCase());
  return [
    ...(check?.id === id ? [] : [`its id is ${check?.id ?? 'missing'}`]),
    ...(readme.startsWith('# ') ? [] : ['no README.md with a title']),
    ...HEADINGS.filter((heading) => !headings.includes(heading.toLowerCase())).map((heading) => `README.md lacks "## ${heading}"`),
    ...(readdirSync(folder).some((name) => name.endsWith('.test.ts')) ? [] : ['no test beside it']),
  ];
}

describe('the checks', async () => {
  const ids = checkFolders(CHECKS);

  it.each(ids)('%s is whole', async (id) => {
    const { default: check } = await import(join(CHECKS, id, 'index.ts'));
    expect(lacks(CHECKS, id, check)).toEqual([]);
  });

  it.skipIf(ids.length === 0)('are all in the list, each once', async () => {
    const { CHECKS: listed } = (await import(join(CHECKS, 'index.ts'))) as { CHECKS: Check[] };
    expect(listed.map((check) => check.id).sort()).toEqual(ids);
  });
});

describe('what a check lacks', () => {
  const root = mkdtempSync(join(tmpdir(), 'sp-checks-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('is named', () => {
    mkdirSync(join(root, 'family/name'), { recursive: true });
    writeFileSync(join(root, 'family/name/index.ts'), '');
    expect(checkFolders(root)).toEqual(['family/name']);
    expect(lacks(root, 'family/name', { id: 'family/other' } as Check)).toHaveLength(3 + HEADINGS.length);
    writeFileSync(join(root, 'family/name/name.test.ts'), '');
    writeFileSync(join(root, 'family/name/README.md'), `# family/name\n\n${HEADINGS.map((heading) => `## ${heading}\n\nText.\n`).join('\n')}`);
    expect(lacks(root, 'family/name', { id: 'family/name' } as Check)).toEqual([]);
  });
});
