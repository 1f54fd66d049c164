/** The flow of a drill on real folders, ledger and state, with a verification that answers at once. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DrillDocument, LedgerDocument } from '../../src/documents.js';
import type { ItemRequest } from '../../src/drill/child.js';
import { type DrillRequest, runDrill } from '../../src/drill/drill.js';
import { stands } from '../../src/drill/history.js';
import { parseDrillPolicy } from '../../src/drill/policy/load.js';
import { InterruptedError, LabError, LedgerError } from '../../src/errors.js';
import { Spool } from '../../src/gate/spool/index.js';
import { digestFiles, filesToDigest, openImages } from '../../src/images/index.js';
import { digestOf, type Ledger, openLedger, problemsOfDocument } from '../../src/ledger/index.js';
import type { VerdictWord, VerificationRecord } from '../../src/types.js';
import { sampleRecord } from '../sample-record.js';

let place: string;
let ledger: Ledger;
let now: Date;
let verified: string[];
let lines: string[];
const verdicts = new Map<string, VerdictWord>();

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'snapproof-drill-'));
  ledger = openLedger(join(place, 'state'));
  now = new Date('2026-11-21T02:00:00Z');
  [verified, lines] = [[], []];
  verdicts.clear();
});
afterEach(() => {
  ledger.close();
  rmSync(place, { recursive: true });
});

function image(path: string): string {
  const file = join(place, path, 'disk.raw');
  mkdirSync(join(place, path), { recursive: true });
  const bytes = Buffer.alloc(4096);
  bytes.write('\x55\xaa', 510, 'latin1');
  bytes.write(path, 1024);
  writeFileSync(file, bytes);
  return file;
}

/** A record as the main flow makes it, with the true digests. */
async function record({ restorePoint, policy, drill }: ItemRequest): Promise<VerificationRecord> {
  verified.push(restorePoint.folder.slice(place.length + 1));
  const files = filesToDigest(restorePoint, await openImages(restorePoint, []));
  const { digests } = await digestFiles(files, { signal: new AbortController().signal, progress: () => undefined });
  const startedAt = now;
  const verdict = verdicts.get(restorePoint.machine) ?? 'passed';
  const base = sampleRecord(`r${verified.length}-${restorePoint.machine}-${drill.id}`, { restorePoint, files: digests, startedAt, finishedAt: now, drill });
  return { ...base, verdict, reasons: [`It ${verdict}.`], policy: { depth: policy.depth, sha256: digestOf(policy) } };
}

function request(policy: string, changes: Partial<DrillRequest> = {}): DrillRequest {
  return {
    policy: parseDrillPolicy(`sources:\n  - folders: ${place}/b/{machine}/{takenAt}\n${policy}`, join(place, 'nightly.yaml'), []),
    stateFolder: join(place, 'state'),
    ledger,
    append: async (document: LedgerDocument) => ledger.append(document, { now }),
    verify: record,
    signal: new AbortController().signal,
    say: (line) => lines.push(line),
    operator: 'tester@here',
    now: () => now,
    teller: { start: async () => [], outcome: async () => [] },
    ...changes,
  };
}

async function drill(policy = '', changes: Partial<DrillRequest> = {}): Promise<DrillDocument> {
  const document = await runDrill(request(policy, changes));
  expect(problemsOfDocument(document)).toEqual([]);
  expect(ledger.find(document.id)?.document).toEqual(document);
  return document;
}

describe('a drill', () => {
  it('verifies the latest of each machine, once, and says how it was chosen', async () => {
    for (const path of ['b/web/2026-11-19', 'b/web/2026-11-20', 'b/db/2026-11-20']) image(path);
    const document = await drill();
    expect(verified).toEqual(['b/db/2026-11-20', 'b/web/2026-11-20']);
    expect(document).toMatchObject({ verdict: 'passed', resumed: 0, machines: ['db', 'web'], operator: 'tester@here' });
    const stored = ledger.latestFor('web')?.document;
    expect(stored?.drill).toEqual({ id: document.id, selection: { how: 'latest', seed: null, population: 3, chosen: 2 } });
    expect(document.items[1]).toMatchObject({ machine: 'web', state: 'verified', verdict: 'passed', recordId: stored?.id });
  });

  it('fails when one fails, is inconclusive when one is, and goes on after both', async () => {
    for (const machine of ['a', 'b', 'c']) image(`b/${machine}/2026-11-20`);
    verdicts.set('b', 'inconclusive');
    expect(await drill()).toMatchObject({ verdict: 'inconclusive', reasons: [expect.stringMatching(/^b of .* is inconclusive: It inconclusive/)] });
    verdicts.set('a', 'failed');
    expect(await drill()).toMatchObject({ verdict: 'failed' });
    expect(verified).toHaveLength(6);
  });

  it('a crash of one verification costs that one, and never reads as a pass', async () => {
    for (const machine of ['a', 'b']) image(`b/${machine}/2026-11-20`);
    const verify: DrillRequest['verify'] = async (item) => {
      if (item.restorePoint.machine === 'a') throw new LabError({ code: 'drill.crashed', message: 'it ended without a result (signal SIGKILL)' });
      return record(item);
    };
    const document = await drill('', { verify });
    expect(document.verdict).toBe('inconclusive');
    expect(document.items.map(({ state, verdict }) => [state, verdict])).toEqual([
      ['unreadable', null],
      ['verified', 'passed'],
    ]);
  });

  it('with nothing to verify is inconclusive, and so is one whose sources are gone', async () => {
    mkdirSync(join(place, 'b'));
    expect((await drill()).verdict).toBe('inconclusive');
    rmSync(join(place, 'b'), { recursive: true });
    expect(await drill()).toMatchObject({ verdict: 'inconclusive', reasons: [expect.stringMatching(/could not be listed/), expect.any(String)] });
  });
});

describe('a record still holds', () => {
  const policy = 'machines: [{ match: "*", every: 7d }]\n';

  it('while the bytes, the policy and the time are the same', async () => {
    const file = image('b/web/2026-11-20');
    await drill(policy);
    now = new Date('2026-11-22T02:00:00Z');
    const again = await drill(policy);
    expect(again).toMatchObject({ verdict: 'passed', items: [{ state: 'still-valid', verdict: 'passed', recordId: expect.stringMatching(/^r1-/) }] });
    expect(verified).toHaveLength(1);
    // One byte, with size and times as before: only reading finds it.
    const bytes = Buffer.alloc(4096, 1);
    bytes.write('\x55\xaa', 510, 'latin1');
    writeFileSync(file, bytes);
    utimesSync(file, new Date('2026-11-20T00:00:00Z'), new Date('2026-11-20T00:00:00Z'));
    expect((await drill(policy)).items[0]?.state).toBe('verified');
    expect((await drill('machines: [{ match: "*", every: 7d, depth: static }]\n')).items[0]?.state).toBe('verified');
    now = new Date('2026-12-01T02:00:00Z');
    expect((await drill(policy)).items[0]?.state).toBe('verified');
  });

  it('never where it failed since, and never without a time within which it holds', async () => {
    image('b/web/2026-11-20');
    await drill();
    expect((await drill()).items[0]?.state).toBe('verified');
    await drill(policy);
    verdicts.set('web', 'failed');
    await drill();
    expect((await drill(policy)).verdict).toBe('failed');
  });

  it('never where somebody who looked at it rejected it, or its drill was void', async () => {
    image('b/web/2026-11-20');
    const first = await drill(policy);
    const about = first.items[0]?.recordId as string;
    const signOff = { schema: 'snapproof.sign-off/v1' as const, id: 's', about, reviewer: 'ann', at: now.toISOString(), decision: 'rejected' as const };
    ledger.append({ ...signOff, note: '', ticket: null, correctiveAction: null, retest: null }, { now });
    const second = await drill(policy);
    expect(second.items[0]?.state).toBe('verified');
    expect((await drill(policy)).items[0]?.state).toBe('still-valid');
    // The same record, as if its drill had been void.
    const stored = ledger.latestFor('web')?.document as VerificationRecord;
    expect(stands(ledger, stored)).toBe(true);
    const open = { ...stored, id: 'of-void', drill: { id: 'void-drill', selection: (stored.drill as NonNullable<VerificationRecord['drill']>).selection } };
    ledger.append(open, { now });
    ledger.append({ ...second, id: 'void-drill', verdict: 'void' }, { now });
    expect(stands(ledger, open)).toBe(false);
  });

  it('by its stamps alone only where the policy says so', async () => {
    const file = image('b/web/2026-11-20');
    now = new Date(Date.now() + 3_600_000);
    const stamps = `${policy}trustStamps: true\n`;
    await drill(stamps);
    expect((await drill(stamps)).items[0]).toMatchObject({ state: 'still-valid', why: [expect.stringMatching(/not written since/)] });
    now = new Date(now.getTime() + 1000);
    appendFileSync(file, Buffer.alloc(512));
    expect((await drill(stamps)).items[0]?.state).toBe('verified');
  });
});

describe('an overdue machine', () => {
  const policy = 'machines: [{ match: "*", every: 7d }]\n';

  it('fails the drill, also when it has vanished from the sources', async () => {
    for (const machine of ['a', 'b']) image(`b/${machine}/2026-11-20`);
    expect((await drill(policy)).verdict).toBe('passed');
    rmSync(join(place, 'b/b'), { recursive: true });
    now = new Date('2026-11-24T02:00:00Z');
    expect(await drill(policy)).toMatchObject({ verdict: 'passed', machines: ['a', 'b'] });
    now = new Date('2026-11-29T02:00:00Z');
    const late = await drill(policy);
    expect(late).toMatchObject({ verdict: 'failed', overdue: [{ machine: 'b', lastProvenAt: '2026-11-21T02:00:00.000Z', dueEverySeconds: 604_800 }] });
    expect(late.reasons).toEqual([expect.stringMatching(/^b is overdue: it was last proven at 2026-11-21.*every 7 days/)]);
    expect((await drill(`machines: [{ match: b, retired: true }, { match: "*", every: 7d }]\n`)).verdict).toBe('passed');
  });

  it('is one that the policy names and nobody ever saw', async () => {
    image('b/a/2026-11-20');
    expect((await drill('machines: [{ match: [a, mail], every: 7d }]\n')).overdue).toMatchObject([{ machine: 'mail', lastProvenAt: null }]);
  });

  it('is not proven by a record that went less deep', async () => {
    image('b/a/2026-11-20');
    await drill('machines: [{ match: "*", depth: static }]\n');
    verdicts.set('a', 'inconclusive');
    expect((await drill('machines: [{ match: "*", depth: boot, every: 7d }]\n')).overdue).toMatchObject([{ machine: 'a', lastProvenAt: null }]);
  });
});

describe('the queue', () => {
  it('is verified first, whatever is chosen, and left by what has a record', async () => {
    for (const path of ['b/web/2026-11-19', 'b/web/2026-11-20', 'other/mail/2026-11-18']) image(path);
    const spool = new Spool(join(place, 'state'));
    for (const path of ['b/web/2026-11-19', 'other/mail/2026-11-18', 'gone/2026-11-18']) await spool.add(join(place, path), 'test');
    const sources = parseDrillPolicy(`sources: [{ folders: "${place}/b/{machine}/{takenAt}" }, { queue: true }]`, join(place, 'q.yaml'), []);
    const document = await drill('', { policy: sources });
    expect(document.items.map(({ machine, path, state, selection }) => [machine, path.slice(place.length + 1), state, selection.how])).toEqual([
      ['gone', 'gone/2026-11-18', 'unreadable', 'named'],
      ['mail', 'other/mail/2026-11-18', 'verified', 'named'],
      ['web', 'b/web/2026-11-19', 'verified', 'named'],
      ['web', 'b/web/2026-11-20', 'verified', 'latest'],
    ]);
    expect((await spool.list()).entries).toEqual([]);
  });

  it('keeps what could not be verified for the next drill', async () => {
    image('other/mail/2026-11-18');
    const spool = new Spool(join(place, 'state'));
    await spool.add(join(place, 'other/mail/2026-11-18'), 'test');
    const policy = parseDrillPolicy('sources: [{ queue: true }]', join(place, 'q.yaml'), []);
    const verify: DrillRequest['verify'] = async () => {
      throw new LabError({ code: 'drill.crashed', message: 'it ended without a result' });
    };
    expect((await drill('', { policy, verify })).verdict).toBe('inconclusive');
    expect((await spool.list()).entries).toMatchObject([{ state: 'waiting' }]);
    expect((await drill('', { policy })).verdict).toBe('passed');
    expect((await spool.list()).entries).toEqual([]);
  });
});

describe('interrupted', () => {
  /** Ends the run at the n-th verification as Ctrl-C does. */
  function interruptedAt(n: number): Partial<DrillRequest> {
    const abort = new AbortController();
    const verify: DrillRequest['verify'] = async (item) => {
      if (verified.length + 1 < n) return record(item);
      abort.abort(new InterruptedError({ code: 'interrupted', message: 'Interrupted.' }));
      throw abort.signal.reason;
    };
    return { verify, signal: abort.signal };
  }

  it('it goes on: the same drill, nothing lost, nothing twice', async () => {
    for (const machine of ['a', 'b', 'c', 'd']) image(`b/${machine}/2026-11-20`);
    await expect(runDrill(request('', interruptedAt(3)))).rejects.toThrow(InterruptedError);
    await expect(runDrill(request('', interruptedAt(4)))).rejects.toThrow(InterruptedError);
    image('b/late/2026-11-20');
    const document = await drill();
    expect(document).toMatchObject({ verdict: 'passed', resumed: 2 });
    expect(verified).toEqual(['a', 'b', 'c', 'd'].map((machine) => `b/${machine}/2026-11-20`));
    expect(new Set(ledger.history().map(({ record }) => record.drill?.id))).toEqual(new Set([document.id]));
    expect((await drill()).id).not.toBe(document.id);
  });

  it('after a kill between the record and the note of it the record counts', async () => {
    for (const machine of ['a', 'b']) image(`b/${machine}/2026-11-20`);
    const append: DrillRequest['append'] = async (document) => {
      ledger.append(document, { now });
      throw new LedgerError({ code: 'test', message: 'killed here' });
    };
    await expect(runDrill(request('', { append }))).rejects.toThrow('killed here');
    expect((await drill()).items.map(({ state }) => state)).toEqual(['verified', 'verified']);
    expect(verified).toHaveLength(2);
  });

  it('after a kill between the document and the end of the plan the drill is finished', async () => {
    image('b/a/2026-11-20');
    const append: DrillRequest['append'] = async (document) => {
      ledger.append(document, { now });
      if (document.schema === 'snapproof.drill/v1') throw new LedgerError({ code: 'test', message: 'killed here' });
    };
    await expect(runDrill(request('', { append }))).rejects.toThrow('killed here');
    await drill();
    expect(ledger.documents({ kind: 'drill' })).toHaveLength(2);
  });

  it('and the policy changed: what it achieved is stored, and a new one begins', async () => {
    for (const machine of ['a', 'b']) image(`b/${machine}/2026-11-20`);
    await expect(runDrill(request('', interruptedAt(2)))).rejects.toThrow(InterruptedError);
    await drill('deadline: 5h\n');
    const [second, first] = ledger.documents({ kind: 'drill' }).map(({ document }) => document);
    expect(first?.items.map(({ machine, state }) => [machine, state])).toEqual([
      ['a', 'verified'],
      ['b', 'not-reached'],
    ]);
    expect(first?.verdict).toBe('inconclusive');
    expect(second?.items.map(({ state }) => state)).toEqual(['verified', 'verified']);
  });

  it('always by the same restore point: the fourth time it is left out', async () => {
    for (const machine of ['a', 'b']) image(`b/${machine}/2026-11-20`);
    for (const _ of [1, 2, 3]) await expect(runDrill(request('', interruptedAt(1)))).rejects.toThrow(InterruptedError);
    const document = await drill();
    expect(document.items.map(({ state }) => state)).toEqual(['unreadable', 'verified']);
    expect(document).toMatchObject({ verdict: 'inconclusive', resumed: 3 });
  });
});

it('the deadline ends it: what is not reached is listed', async () => {
  for (const machine of ['a', 'b', 'c']) image(`b/${machine}/2026-11-20`);
  const verify: DrillRequest['verify'] = async (item, signal) => {
    if (item.restorePoint.machine === 'a') return record(item);
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    throw signal.reason;
  };
  const document = await drill('deadline: 1s\n', { verify, now: () => new Date() });
  expect(document.items.map(({ state, why }) => [state, why[0]])).toEqual([
    ['verified', undefined],
    ['not-reached', 'The deadline came while it was verified.'],
    ['not-reached', 'The deadline came first.'],
  ]);
  expect(document).toMatchObject({ verdict: 'inconclusive', reasons: ['2 restore points were not reached.'] });
});

it('two runs of one policy at once: the second says so and starts nothing', async () => {
  image('b/a/2026-11-20');
  let second: unknown;
  const verify: DrillRequest['verify'] = async (item) => {
    second = await runDrill(request('')).catch((error: unknown) => error);
    return record(item);
  };
  expect((await drill('', { verify })).verdict).toBe('passed');
  expect(second).toMatchObject({ code: 'drill.running', exitCode: 2, message: expect.stringContaining(`process ${process.pid}`) });
  expect(ledger.documents({ kind: 'drill' })).toHaveLength(1);
});

it('several at once: never more memory than there is, and each once', async () => {
  for (let i = 0; i < 8; i++) image(`b/m${i}/2026-11-20`);
  let [running, most] = [0, 0];
  const verify: DrillRequest['verify'] = async (item) => {
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, 20));
    running--;
    return record(item);
  };
  const document = await drill('parallel: 8\nmemoryMiB: 6200\n', { verify });
  expect(most).toBe(3);
  expect([document.verdict, new Set(verified).size]).toEqual(['passed', 8]);
}, 20_000);
