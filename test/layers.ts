/**
 * The layers of the project, low to high. A file may import from its own folder, from its own layer's folders, and from any layer below.
 * `biome.json` says the same to the linter; `layers.test.ts` proves that both agree and that the sources keep to it.
 */
export const LAYERS: string[][] = [
  ['types.ts', 'ways.ts', 'documents.ts', 'errors.ts', 'version.ts', 'words.ts', 'schema', 'setup', 'compliance', 'labs/lab.ts'],
  ['bytes'],
  ['process'],
  ['sources', 'policy', 'images', 'volumes', 'ledger', 'memory', 'hardware'],
  ['labs'],
  ['check.ts'],
  ['engines'],
  ['inspection'],
  ['runner'],
  ['run.ts'],
  ['evidence', 'gate'],
  ['drill'],
  ['reporters'],
  ['commands'],
  ['cli.ts'],
];

/** Folders that may import less than their layer allows: these entries of `src/` and nothing else. */
export const ONLY: Record<string, string[]> = {
  'src/reporters': ['types.ts', 'ways.ts', 'documents.ts', 'errors.ts', 'version.ts', 'words.ts', 'compliance', 'ledger/record.ts', 'ledger/canonical.ts'],
  checks: ['types.ts', 'ways.ts', 'errors.ts', 'words.ts', 'check.ts', 'labs/lab.ts', 'bytes', 'volumes', 'engines'],
};

/** Where the list of all checks may be imported: what chooses them, never what runs or judges. */
export const MAY_IMPORT_CHECKS = ['src/commands', 'src/cli.ts'];

const ALL = LAYERS.flat();

/** The layer's entry that a path below `src/` belongs to: `bytes/map.ts` to `bytes`. The longest match counts. */
export function entryOf(pathInSrc: string): string | null {
  const matches = ALL.filter((entry) => pathInSrc === entry || pathInSrc.startsWith(`${entry}/`));
  return matches.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** What a folder of `src/`, or `checks`, must not import, as entries of `src/`. */
export function forbiddenEntries(folder: string): string[] {
  const only = ONLY[folder];
  const own = folder.replace(/^src\//, '');
  if (only) return ALL.filter((entry) => entry !== own && !only.includes(entry));
  const rank = LAYERS.findIndex((layer) => layer.includes(own));
  return LAYERS.slice(rank + 1).flat();
}

/** Exceptions inside what is forbidden: `labs` is, `labs/lab.ts` is not. */
function allowedWithin(folder: string): string[] {
  const forbidden = forbiddenEntries(folder);
  const allowed = [...(ONLY[folder] ?? ALL)].filter((entry) => !forbidden.includes(entry));
  return allowed.filter((entry) => forbidden.some((outer) => entry.startsWith(`${outer}/`)));
}

/** The linter's rules that follow: `overrides` of biome.json. A new layer is added here, and the failing test shows what to write there. */
export function linterOverrides(): object[] {
  const folders = [...ALL.filter((entry) => !entry.endsWith('.ts')).map((entry) => `src/${entry}`), 'checks'];
  return folders.map((folder) => {
    const patterns = [{ group: restrictedGroup(folder), message: `${folder} may not import this: src/README.md shows the layers.` }];
    const rules = { style: { noRestrictedImports: { level: 'error', options: { patterns } } } };
    return { includes: [`${folder}/**`, '!**/*.test.ts'], linter: { rules } };
  });
}

function restrictedGroup(folder: string): string[] {
  const source = folder === 'checks' ? '**/src/' : '**/';
  const file = folder === 'checks' ? '**/src/' : '**/../';
  const pattern = (entry: string) => (entry.endsWith('.ts') ? `${file}${entry.replace(/\.ts$/, '.js')}` : `${source}${entry}/**`);
  const checks = folder === 'checks' || MAY_IMPORT_CHECKS.includes(folder) ? [] : ['**/checks/**'];
  const exceptions = allowedWithin(folder).map((entry) => `!${source}${entry.replace(/\.ts$/, '.js')}`);
  return [...forbiddenEntries(folder).map(pattern), ...checks, '**/fixtures/**', ...exceptions];
}
