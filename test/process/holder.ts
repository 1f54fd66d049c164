/** For tests of clean-up: another process that opens a work folder, starts children, and can be killed at any moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface Holder {
  process: ChildProcess;
  folder: string;
  /** A recorded child that ignores SIGTERM, and one that left its process group. */
  children: number[];
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const SCRIPT = `
  import { spawn } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  const { openWorkFolder } = await import(process.env.WORK_FOLDER_MODULE);
  const folder = await openWorkFolder();
  writeFileSync(folder.path + '/overlay', 'x'.repeat(10000));
  const env = { ...process.env, ...folder.environment() };
  const shell = spawn('sh', ['-c', process.env.HOLDER_SCRIPT], { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  folder.recordChild(shell.pid);
  shell.stdout.once('data', (line) => console.log(JSON.stringify({ folder: folder.path, children: [shell.pid, Number(line)] })));
  setInterval(() => folder.noteStrayFolders(), 200);
`;

/** Compiles what a work folder needs, so that plain Node can run it. Returns the module's path. */
export function compileWorkFolder(outFolder: string): string {
  compileSources(outFolder, ['src/errors.ts', 'src/process']);
  return join(outFolder, 'src/process/work-folder.js');
}

/** Compiles files and whole folders of the project, without checking types. */
export function compileSources(outFolder: string, places: string[]): void {
  for (const source of places.flatMap(typeScriptFiles)) {
    const target = join(outFolder, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(target, ts.transpileModule(readFileSync(join(PROJECT, source), 'utf8'), { compilerOptions: options }).outputText);
  }
  cpSync(join(PROJECT, 'src/setup'), join(outFolder, 'src/setup'), { recursive: true });
  writeFileSync(join(outFolder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(PROJECT, 'node_modules'), join(outFolder, 'node_modules'));
}

function typeScriptFiles(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  const names = readdirSync(join(PROJECT, place), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(place, name));
}

/** Its child ignores SIGTERM and has a child that left the process group. */
const STUBBORN = 'trap "" TERM; setsid sleep 601 & echo $!; sleep 600';

/** Starts a holder. `script` is its child, run by a shell; it first prints the pid of a further one. */
export async function startHolder(module: string, temporary: string, options: { script?: string; env?: Record<string, string> } = {}): Promise<Holder> {
  const holder = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    env: { ...process.env, ...options.env, TMPDIR: temporary, WORK_FOLDER_MODULE: module, HOLDER_SCRIPT: options.script ?? STUBBORN },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(holder.stdout as NodeJS.ReadableStream, 'data');
  return { process: holder, ...JSON.parse(String(line)) };
}
