import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { entryOf, forbiddenEntries, linterOverrides, MAY_IMPORT_CHECKS, ONLY } from './layers.js';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));

function sourcesBelow(folder: string): string[] {
  if (!existsSync(join(PROJECT, folder))) return [];
  const paths = readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return paths.filter((path) => /\.(ts|mjs)$/.test(path) && !/\.test\.ts$|\/testing\//.test(path)).sort();
}

/** Local imports of a file as project paths: `src/bytes/map.ts`. */
function importsOf(path: string, text = readFileSync(join(PROJECT, path), 'utf8')): string[] {
  const specifiers = ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
  return specifiers.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(path), name)).replace(/\.js$/, '.ts'));
}

/** Why a file may not import another, or null when it may. */
function objection(path: string, target: string): string | null {
  if (/^(fixtures|test)\/|\/testing\//.test(target)) return `${path} imports ${target}: the product knows neither fixtures nor tests`;
  if (path.startsWith('checks/')) return objectionInChecks(path, target);
  const home = entryOf(path.slice('src/'.length));
  if (home === null) return `${path} belongs to no layer: place its folder in test/layers.ts`;
  if (target.startsWith('checks/'))
    return MAY_IMPORT_CHECKS.some((place) => path.startsWith(place)) ? null : `${path} imports ${target}: it must not know the checks`;
  return objectionToSource(path, `src/${home}`, target);
}

function objectionInChecks(path: string, target: string): string | null {
  if (target.startsWith('src/')) return objectionToSource(path, 'checks', target);
  const family = path.split('/')[1];
  // The list of all checks stands above the families.
  if (path.split('/').length === 2 || target.startsWith(`checks/${family}/`)) return null;
  return `${path} imports ${target}: families of checks do not know each other`;
}

function objectionToSource(path: string, folder: string, target: string): string | null {
  if (target.startsWith(`${folder}/`)) return null;
  const inside = target.slice('src/'.length);
  const only = ONLY[folder];
  if (only) return only.some((entry) => inside === entry || inside.startsWith(`${entry}/`)) ? null : `${path} imports ${target}: ${folder} may not`;
  const entry = entryOf(inside);
  return entry !== null && !forbiddenEntries(folder).includes(entry) ? null : `${path} imports ${target}: that lies in a higher layer`;
}

/** Import nothing, and nothing imports them. */
const SHELL_SCRIPTS = 'hooks';

describe('layers', () => {
  it('have a place for everything in src', () => {
    const names = readdirSync(join(PROJECT, 'src')).filter((name) => !name.endsWith('.md') && name !== SHELL_SCRIPTS);
    expect(names.filter((name) => entryOf(name) === null && statSync(join(PROJECT, 'src', name)).size > 0)).toEqual([]);
  });

  it('are kept by every file of src and checks', () => {
    const paths = [...sourcesBelow('src'), ...sourcesBelow('checks')];
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.flatMap((path) => importsOf(path).flatMap((target) => objection(path, target) ?? []))).toEqual([]);
  });

  it('would notice each kind of breach', () => {
    const breach = (path: string, specifier: string) => importsOf(path, `import { x } from '${specifier}';`).map((target) => objection(path, target))[0];
    expect(breach('src/bytes/map.ts', '../process/proc.js')).toContain('higher layer');
    expect(breach('src/labs/x.ts', '../../checks/sqlite/find.js')).toContain('must not know the checks');
    expect(breach('src/reporters/x.ts', '../process/proc.js')).toContain('src/reporters may not');
    expect(breach('checks/sqlite/wal/index.ts', '../../postgresql/find.js')).toContain('do not know each other');
    expect(breach('checks/sqlite/wal/index.ts', '../../../src/labs/sandbox/index.js')).toContain('checks may not');
    expect(breach('checks/sqlite/wal/index.ts', '../../../src/labs/lab.js')).toBeNull();
    expect(breach('src/new/x.ts', '../types.js')).toContain('belongs to no layer');
    expect(breach('src/run.ts', '../fixtures/sample.js')).toContain('fixtures');
    expect(breach('checks/sqlite/wal/index.ts', '../testing/sample.js')).toContain('nor tests');
  });
});

describe('biome.json', () => {
  const config = JSON.parse(readFileSync(join(PROJECT, 'biome.json'), 'utf8'));

  it('holds exactly the rules that follow from the layers', () => {
    expect(config.overrides).toEqual(linterOverrides());
  });

  it('makes the linter judge as the layers do', () => {
    const cases: [string, string, boolean][] = [
      ['src/bytes/a.ts', '../process/proc.js', false],
      ['src/bytes/b.ts', '../labs/lab.js', true],
      ['src/bytes/c.ts', '../labs/sandbox/index.js', false],
      ['src/volumes/ext/a.ts', '../../check.js', false],
      ['src/volumes/ext/b.ts', '../reading.js', true],
      ['src/inspection/a.ts', '../volumes/reading.js', true],
      ['src/inspection/b.ts', '../runner/verdict.js', false],
      ['src/labs/sandbox/a.ts', '../../../checks/sqlite/find.js', false],
      ['src/reporters/a.ts', '../types.js', true],
      ['src/reporters/b.ts', '../ledger/record.js', true],
      ['src/reporters/c.ts', '../ledger/ledger.js', false],
      ['src/commands/a.ts', '../../checks/index.js', true],
      ['checks/sqlite/wal/a.ts', '../../../src/process/proc.js', false],
      ['checks/sqlite/wal/b.ts', '../../../src/bytes/source.js', true],
      ['checks/sqlite/wal/c.ts', '../../../src/labs/lab.js', true],
      ['checks/sqlite/wal/d.ts', '../../../src/run.js', false],
    ];
    const refused = pathsTheLinterRefuses(cases);
    expect(cases.map(([path, specifier]) => [path, specifier, !refused.has(path)])).toEqual(cases);
  });
});

/** Writes files with one import each into a folder of their own and lints them there with the project's rules. */
function pathsTheLinterRefuses(cases: [string, string, boolean][]): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sp-layers-'));
  try {
    cpSync(join(PROJECT, 'biome.json'), join(folder, 'biome.json'));
    for (const [path, specifier] of cases) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), `import { x } from '${specifier}';\n\nexport const y = x;\n`);
    }
    const biome = join(PROJECT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const { stdout, stderr } = execaSync(process.execPath, [biome, 'lint', '--max-diagnostics=none', '.'], { cwd: folder, reject: false });
    return new Set([...`${stdout}\n${stderr}`.matchAll(/^(\S+?):\d+:\d+ lint\/style\/noRestrictedImports/gm)].map((match) => match[1] ?? ''));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
