/** `snapproof init`: looks at folders and writes a drill policy for what is there, which works as it is. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type FoundSource, lookForSources } from '../drill/init/look.js';
import { policyText } from '../drill/init/write.js';
import { parseDrillPolicy } from '../drill/policy/load.js';
import type { DrillSource } from '../drill/policy/types.js';
import { type Listing, listSources } from '../drill/sources/index.js';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { visible } from '../reporters/escape.js';
import { count } from '../reporters/units.js';
import { print, type Streams } from './streams.js';
import type { Library } from './verify.js';

export interface InitArguments {
  folders: string[];
  /** Default: standard output. */
  out?: string | undefined;
  force?: boolean | undefined;
}

/** @throws UsageError when a folder holds no restore point, or the file is there already. */
export async function initCommand({ folders, out, force }: InitArguments, library: Library, streams: Streams): Promise<ExitCode> {
  const sources: FoundSource[] = [];
  for (const folder of folders) sources.push(...(await lookForSources(folder)));
  const { candidates } = await listSources(sources.map(toSource), nothing, new AbortController().signal);
  const machines = [...new Set(candidates.map(({ machine }) => machine))].sort();
  const text = policyText(sources, machines);
  // What is written has to work: it is read as a run reads it.
  parseDrillPolicy(text, resolve(out ?? 'drill.yaml'), library.checks);
  if (out === undefined) await print(streams.stdout, text);
  else await store(out, text, force ?? false);
  const place = out === undefined ? '' : ` is in ${visible(out)}. Try it: snapproof run --dry-run ${visible(out)}\n`;
  await print(streams.stderr, `A policy for ${count(candidates.length, 'restore point')} of ${count(machines.length, 'machine')}${place || '.\n'}`);
  return EXIT.passed;
}

const nothing = async (): Promise<Listing> => ({ candidates: [], notes: [] });

function toSource({ kind, value }: FoundSource): DrillSource {
  if (kind === 'paths') return { kind, paths: [value] };
  return kind === 'folders' ? { kind, template: value } : { kind, folder: value };
}

async function store(path: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new UsageError({ code: 'init.exists', message: `${path} is there already`, advice: 'Name another file, or say --force.', cause });
    throw new UsageError({ code: 'init.unwritable', message: `${path} cannot be written: ${message}`, cause });
  }
}
