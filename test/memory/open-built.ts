/** Opens bytes as saved memory: a file in a private folder, and a sandbox that must not be needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../src/labs/lab.js';
import { type OpenMemoryRequest, openSavedMemory } from '../../src/memory/index.js';
import type { SavedMemory } from '../../src/ways.js';

const noSandbox: Sandbox = { run: () => Promise.reject(new Error('nothing here needs a tool')) };

/** The file and its folder are gone when `use` has ended. */
export async function withMemory<T>(
  bytes: Buffer,
  use: (memory: SavedMemory) => Promise<T>,
  options: Partial<OpenMemoryRequest> & { name?: string } = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-memory-'));
  try {
    const { name = 'vm.ram', ...rest } = options;
    const path = join(folder, name);
    await writeFile(path, bytes);
    const memory = await openSavedMemory({
      ...{ path, snapshot: null, format: 'unknown', folder, sandbox: noSandbox, limitBytes: 2 ** 30, signal: new AbortController().signal },
      ...rest,
    });
    try {
      return await use(memory);
    } finally {
      await memory.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const codesOf = ({ facts }: SavedMemory): string[] => facts.findings.map(({ code }) => code);

export async function pagesOf(memory: SavedMemory): Promise<{ address: number; bytes: Buffer }[]> {
  const found: { address: number; bytes: Buffer }[] = [];
  for await (const { address, bytes } of memory.ram?.pages(new AbortController().signal) ?? []) found.push({ address, bytes: Buffer.from(bytes) });
  return found;
}
