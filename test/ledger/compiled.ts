/** Child processes of tests run the ledger as plain JavaScript, because Node 20 cannot run TypeScript. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const OPTIONS: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };

/** Translates `src/errors.ts` and `src/ledger` into a new folder. @returns that folder; the caller removes it. */
export function compileLedger(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-ledger-'));
  const files = ['src/errors.ts', ...readdirSync(join(ROOT, 'src/ledger')).map((name) => `src/ledger/${name}`)];
  for (const file of files) {
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) writeFileSync(target, ts.transpileModule(readFileSync(join(ROOT, file), 'utf8'), { compilerOptions: OPTIONS }).outputText);
    else cpSync(join(ROOT, file), target);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(import.meta.dirname, 'writer.mjs'), join(folder, 'writer.mjs'));
  return folder;
}
