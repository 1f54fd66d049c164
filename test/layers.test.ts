import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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
  if (target.startsWith('fixtures/') || target.startsWith('test/')) return `${path} imports ${target}: the product knows neither fixtures nor tests`;
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

describe('layers', () => {
  it('have a place for everything in src', () => {
    const names = readdirSync(join(PROJECT, 'src')).filter((name) => !name.endsWith('.md'));
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
  });
});

describe('biome.json', () => {
  const config = JSON.parse(readFileSync(join(PROJECT, 'biome.json'), 'utf8'));

  it('holds exactly the rules that follow from the layers', () => {
    expect(config.overrides).toEqual(linterOverrides());
  });

  it.each([
    ['src/bytes/x.ts', '../process/proc.js', false],
    ['src/bytes/x.ts', '../labs/lab.js', true],
    ['src/bytes/x.ts', '../labs/sandbox/index.js', false],
    ['src/volumes/ext/x.ts', '../../check.js', false],
    ['src/volumes/ext/x.ts', '../reading.js', true],
    ['src/inspection/x.ts', '../volumes/reading.js', true],
    ['src/inspection/x.ts', '../runner/verdict.js', false],
    ['src/labs/sandbox/x.ts', '../../../checks/sqlite/find.js', false],
    ['src/reporters/x.ts', '../types.js', true],
    ['src/reporters/x.ts', '../runner/verdict.js', false],
    ['checks/sqlite/wal/index.ts', '../../../src/process/proc.js', false],
    ['checks/sqlite/wal/index.ts', '../../../src/bytes/source.js', true],
    ['checks/sqlite/wal/index.ts', '../../../src/run.js', false],
  ])('the linter judges that %s imports %s: %s', (path, specifier, allowed) => {
    const input = `import { x } from '${specifier}';\n\nexport const y = x;\n`;
    const biome = join(PROJECT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const result = execaSync(process.execPath, [biome, 'lint', `--stdin-file-path=${path}`], { cwd: PROJECT, input, reject: false });
    // From standard input the linter names no rule, so the input is such that no other rule objects.
    expect(result.exitCode === 0).toBe(allowed);
  });
});
