/** The engine lab with nothing but the host's engines, in the real sandbox, over folders of the host. For lab tests of engines that recover. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckContext } from '../../../src/check.js';
import { EngineRunner } from '../../../src/labs/engine/index.js';
import type { Sandbox } from '../../../src/labs/lab.js';
import type { GuestFiles, SqlQuestion } from '../../../src/types.js';

export interface HostEngineMeans {
  files: GuestFiles;
  sandbox: Sandbox;
  /** Copies come to lie below it, and are gone after each run. */
  scratch: string;
  questions?: SqlQuestion[];
}

/** As much of a check's context as an engine's `run` asks for. Each has its own `once`. */
export function hostEngineContext({ files, sandbox, scratch, questions = [] }: HostEngineMeans): CheckContext<unknown> {
  const { signal } = new AbortController();
  const shared = new Map<string, Promise<unknown>>();
  const scratchFolder = async () => mkdtempSync(join(scratch, 'copy-'));
  const appliance = () => Promise.reject(new Error('this test has no appliance'));
  const engine = new EngineRunner({ choice: 'auto', limitBytes: 2 ** 33, files: () => files, appliance, sandbox, scratchFolder, signal });
  const once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const known = shared.get(key) ?? work();
    shared.set(key, known);
    return known as Promise<T>;
  };
  return { inspection: { systems: [] }, labs: { files, engine }, signal, once, progress: () => undefined, questions } as unknown as CheckContext<unknown>;
}
