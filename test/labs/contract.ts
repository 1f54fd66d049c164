/** What every lab must keep, whatever it is made of. Run a lab through it with `describeLabContract`. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LabSession } from '../../src/labs/lab.js';

export interface LabUnderTest<Session extends LabSession> {
  open(signal: AbortSignal): Promise<Session>;
  /** Makes the session do real work once; rejects when it cannot. */
  use(session: Session): Promise<unknown>;
  /** Files of the restore point: bit-identical afterwards. Empty where the lab has none. */
  originals: string[];
  /** The only folder in which the lab may make files. Null for a lab that makes none. */
  workFolder: string | null;
  /** How long after its start an abort meets it in the middle of opening, in milliseconds; default 0. */
  midOpeningMs?: number;
  /** Removes what the test itself made. */
  dispose(): Promise<void>;
}

/** Registers the contract's tests for one lab. `makeLab` is called before each of them. */
export function describeLabContract<Session extends LabSession>(name: string, makeLab: () => Promise<LabUnderTest<Session>>): void {
  describe(`lab contract: ${name}`, () => {
    let lab: LabUnderTest<Session>;
    let before: Traces;

    beforeEach(async () => {
      lab = await makeLab();
      before = await traces(lab);
    });

    afterEach(async () => {
      const after = await traces(lab);
      await lab.dispose();
      expect(after.files, 'files left behind').toEqual(before.files);
      expect(after.processes, 'processes left behind').toEqual(before.processes);
      expect(after.digests, 'originals changed').toEqual(before.digests);
    });

    it('does its work and closes', async () => {
      const session = await lab.open(new AbortController().signal);
      await lab.use(session);
      await session.close();
    });

    it('can be closed twice, also at the same time', async () => {
      const session = await lab.open(new AbortController().signal);
      await lab.use(session);
      await Promise.all([session.close(), session.close()]);
      await session.close();
    });

    it('can be closed without having been used', async () => {
      await (await lab.open(new AbortController().signal)).close();
    });

    it('leaves nothing after an abort in the middle of its work', async () => {
      const abort = new AbortController();
      const session = await lab.open(abort.signal);
      const work = lab.use(session).catch(() => undefined);
      abort.abort();
      await work;
      await session.close();
    });

    it('leaves nothing after an abort in the middle of opening', async () => {
      const abort = new AbortController();
      const opening = lab.open(abort.signal).catch(() => null);
      await sleep(lab.midOpeningMs ?? 0);
      abort.abort();
      const session = await opening;
      await session?.close();
    });

    it('leaves nothing when it is opened after the abort', async () => {
      const abort = new AbortController();
      abort.abort();
      const session = await lab.open(abort.signal).catch(() => null);
      await session?.close();
    });

    it('refuses work after it was closed', async () => {
      const session = await lab.open(new AbortController().signal);
      await session.close();
      await expect(lab.use(session)).rejects.toThrow();
    });
  });
}

interface Traces {
  processes: string[];
  files: string[];
  digests: string[];
}

async function traces(lab: LabUnderTest<LabSession>): Promise<Traces> {
  const digests = await Promise.all(
    lab.originals.map(
      async (path) =>
        `${path} ${createHash('sha256')
          .update(await readFile(path))
          .digest('hex')}`,
    ),
  );
  const files = lab.workFolder === null ? [] : (await readdir(lab.workFolder, { recursive: true })).sort();
  return { processes: await descendants(process.pid), files, digests };
}

/** Names and ids of all living processes below `ancestor`, from /proc. The compiler service of the test runner is not the lab's. */
export async function descendants(ancestor: number): Promise<string[]> {
  const parents = new Map<number, { parent: number; name: string }>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const match = /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat);
    if (match && match[2] !== 'Z') parents.set(Number(entry), { parent: Number(match[3]), name: match[1] ?? '' });
  }
  const below = (pid: number): boolean => {
    for (let at = parents.get(pid); at; at = parents.get(at.parent)) if (at.parent === ancestor) return true;
    return false;
  };
  return [...parents]
    .filter(([pid, { name }]) => below(pid) && name !== 'esbuild')
    .map(([pid, { name }]) => `${name} ${pid}`)
    .sort();
}
