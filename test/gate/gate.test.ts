import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import { type GateArguments, gateCommand } from '../../src/commands/gate.js';
import type { GateDocument } from '../../src/gate/document.js';
import { ledgerPath } from '../../src/ledger/index.js';
import type { Depth } from '../../src/types.js';
import { capture } from '../commands/streams.js';
import { sampleDrill, sampleSignOff } from '../ledger/documents.js';
import { result } from '../runner/arbitrary.js';
import { valid } from './schemas.js';
import { makeWorld, NOW, recordOf, type World } from './world.js';

const FAILED = { verdict: 'failed' as const, reasons: ['postgresql/page-checksums failed.'] };
const INCONCLUSIVE = { verdict: 'inconclusive' as const, reasons: ['An encrypted volume was not tested.'] };
const at = (depth: Depth) => ({ policy: { depth, sha256: 'c'.repeat(64) } });

let world: World;
let path: string;
beforeEach(async () => {
  world = await makeWorld();
  path = await world.point('db1-27');
});

async function gate(args: Partial<GateArguments> = {}): Promise<{ code: number; document: GateDocument; codes: string[] }> {
  const { streams, out } = capture();
  const code = await gateCommand({ target: path, state: world.state, json: true, now: NOW, ...args }, streams);
  const document = valid<GateDocument>('gate', out());
  return { code, document, codes: document.missing.map((one) => one.code) };
}

describe('gate on a path', () => {
  it('opens for exactly the bytes that passed', async () => {
    const record = await recordOf(path);
    world.append(record);
    const { code, document } = await gate();
    expect(code).toBe(0);
    expect(document).toMatchObject({
      schema: 'snapproof.gate/v1',
      answer: 'proven',
      missing: [],
      record: { id: record.id, seq: 1, consistency: 'crash', depth: 'recovery' },
    });
    expect(document.subject.files).toEqual(record.restorePoint.files);
  });
  it('stays shut when one byte of a disk changed, and says which file', async () => {
    world.append(await recordOf(path));
    await writeFile(join(path, 'disk0.raw'), 'X', { flag: 'r+' });
    const { code, document, codes } = await gate();
    expect([code, codes]).toEqual([1, ['bytes-changed']]);
    expect(document.missing[0]?.message).toContain('disk0.raw');
  });
  it('stays shut when the manifest is another one', async () => {
    world.append(await recordOf(path));
    await writeFile(
      join(path, 'restore-point.json'),
      JSON.stringify({ schema: 'snapproof.restore-point/v1', machine: 'db2', disks: [{ path: 'disk0.raw', format: 'raw' }] }),
    );
    expect(await gate()).toMatchObject({ code: 1, codes: ['config-changed'] });
  });
  it('stays shut when the disks changed places', async () => {
    const two = await world.point('two', { disks: 2 });
    const record = await recordOf(two);
    record.restorePoint.files = [record.restorePoint.files[1], record.restorePoint.files[0], record.restorePoint.files[2]].filter((file) => file !== undefined);
    world.append(record);
    expect(await gate({ target: two })).toMatchObject({ code: 1, codes: ['other-set'] });
  });
  it('stays shut for a part of what was verified', async () => {
    const two = await world.point('two', { disks: 2 });
    world.append(await recordOf(two));
    expect(await gate({ target: join(two, 'disk0.raw') })).toMatchObject({ code: 1, codes: ['other-set'] });
  });
  it('says that there is no ledger, or no record', async () => {
    expect(await gate()).toMatchObject({ code: 1, codes: ['no-ledger'] });
    world.append(await recordOf(await world.point('other')));
    expect(await gate()).toMatchObject({ code: 1, codes: ['no-record'] });
  });
  it('refuses a path at which there is nothing', async () => {
    await expect(gate({ target: join(world.folder, 'gone') })).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('what a record must be', () => {
  it.each<[string, Partial<GateArguments>, string]>([
    ['the proof is too old', { maxAge: '29m' }, 'age'],
    ['the backup is too old', { maxBackupAge: '10h' }, 'backup-age'],
    ['the consistency is too weak', { require: 'filesystem' }, 'consistency'],
    ['the depth was not reached', { depth: 'boot' }, 'depth'],
    ['it is not signed', { requireSignature: true }, 'signature'],
  ])('%s', async (_what, options, code) => {
    world.append(await recordOf(path));
    expect(await gate(options)).toMatchObject({ code: 1, codes: [code] });
  });
  it('and opens where it is all that', async () => {
    world.append(await recordOf(path));
    expect(await gate({ maxAge: '31m', maxBackupAge: '12h', require: 'crash', depth: 'recovery' })).toMatchObject({ code: 0 });
  });
  it.each(['unknown', 'none'] as const)('%s is no consistency at all', async (observed) => {
    world.append(await recordOf(path, { verdict: { consistency: { declared: 'application', observed, why: [] } } }));
    expect(await gate({ require: 'crash' })).toMatchObject({ code: 1, codes: ['consistency'] });
  });
  it('of an unknown age has none', async () => {
    const undated = await world.point('undated', { takenAt: null });
    world.append(await recordOf(undated));
    expect(await gate({ target: undated })).toMatchObject({ code: 0 });
    expect(await gate({ target: undated, maxBackupAge: '9000d' })).toMatchObject({ code: 1, codes: ['backup-age'] });
  });
  it('from the future is doubted', async () => {
    world.append(await recordOf(path, { startedAt: '2026-11-27T13:00:00Z' }));
    expect(await gate()).toMatchObject({ code: 1, codes: ['clock'] });
    const tomorrow = await world.point('tomorrow', { takenAt: '2026-11-28T13:00:00Z' });
    world.append(await recordOf(tomorrow));
    expect(await gate({ target: tomorrow })).toMatchObject({ code: 1, codes: ['clock'] });
  });
  it('proves a boot only by a boot that came to life', async () => {
    const way = {
      way: 'boot' as const,
      state: 'alive' as const,
      why: 'It came to its login prompt.',
      secondsToService: 12,
      guestSecondsToService: 12,
      accelerator: 'kvm' as const,
    };
    world.append(await recordOf(path, at('boot')));
    expect(await gate({ depth: 'boot' })).toMatchObject({ code: 1, codes: ['depth'] });
    world.append(await recordOf(path, { ...at('boot'), verdict: { ways: [{ ...way, verdict: 'passed' }] } }));
    expect(await gate({ depth: 'boot' })).toMatchObject({ code: 0 });
    expect(await gate({ depth: 'resume' })).toMatchObject({ code: 1, codes: ['depth'] });
    expect(await gate({ depth: 'full' })).toMatchObject({ code: 1, codes: ['depth'] });
  });
  it('does not prove a recovery that was left untested, unless that is accepted', async () => {
    const untested = [{ what: 'recovery', why: 'no engine here', holdsData: false }];
    const skipped = result({
      id: 'postgresql/recovery',
      stage: 'recovery',
      target: 'postgresql',
      outcome: 'skip',
      summary: 'There is no PostgreSQL 9.1 here.',
      untested,
      tested: [],
    });
    world.append(await recordOf(path, { checks: [skipped] }));
    expect(await gate({ depth: 'recovery' })).toMatchObject({ code: 1, codes: ['recovery-untested'] });
    expect(await gate({ depth: 'recovery', acceptUntestedRecovery: true })).toMatchObject({ code: 0 });
    expect(await gate({ depth: 'static' })).toMatchObject({ code: 0 });
  });
});

describe('several records of the same bytes', () => {
  it('fails after a failure, also when an earlier verification passed', async () => {
    world.append(await recordOf(path), await recordOf(path, { verdict: FAILED }));
    const { code, document } = await gate();
    expect([code, document.answer]).toEqual([1, 'failed']);
    expect(document.missing[0]?.message).toContain('page-checksums');
  });
  it('lets a later pass refute a failure only at the same depth', async () => {
    world.append(await recordOf(path, { ...at('recovery'), verdict: FAILED }), await recordOf(path, at('static')));
    expect(await gate()).toMatchObject({ code: 1, document: { answer: 'failed' } });
    world.append(await recordOf(path, at('recovery')));
    expect(await gate()).toMatchObject({ code: 0 });
  });
  it('does not let a pass that does not count refute a failure', async () => {
    const pass = await recordOf(path);
    world.append(await recordOf(path, { verdict: FAILED }), pass, sampleSignOff('s1', pass.id, { decision: 'rejected' }));
    expect(await gate()).toMatchObject({ code: 1, document: { answer: 'failed' } });
  });
  it('answers 3 when all there is is inconclusive', async () => {
    world.append(await recordOf(path, { verdict: INCONCLUSIVE }));
    const { code, document } = await gate();
    expect([code, document.missing[0]?.message]).toEqual([3, expect.stringContaining('An encrypted volume was not tested.')]);
  });
  it('keeps what was proven when a later run is inconclusive, and says so', async () => {
    world.append(await recordOf(path), await recordOf(path, { verdict: INCONCLUSIVE }));
    const { code, document } = await gate();
    expect([code, document.notes.join()]).toEqual([0, expect.stringContaining('later verification was inconclusive')]);
  });
  it('never counts controls', async () => {
    world.append(await recordOf(path, { machine: 'control:torn-page' }));
    expect(await gate()).toMatchObject({ code: 1, codes: ['no-record'] });
    const selection = { how: 'control' as const, seed: null, population: 1, chosen: 1 };
    world.append(await recordOf(path, { drill: { id: 'd1', selection } }));
    expect(await gate()).toMatchObject({ code: 1, codes: ['no-record'] });
  });
  it('does not count what a void drill says, nor what a person rejected', async () => {
    const selection = { how: 'latest' as const, seed: null, population: 1, chosen: 1 };
    const record = await recordOf(path, { drill: { id: 'drill-1', selection } });
    world.append(record);
    expect(await gate()).toMatchObject({ code: 0 });
    world.append(sampleDrill('drill-1', { verdict: 'void' }));
    expect(await gate()).toMatchObject({ code: 1, codes: ['drill-void'] });
    const second = await recordOf(path);
    world.append(second, sampleSignOff('s1', second.id, { decision: 'rejected', note: 'The wrong machine.' }));
    expect((await gate()).document.missing.map(({ message }) => message).join()).toMatch(/void|wrong machine/);
    world.append(sampleSignOff('s2', second.id, { decision: 'accepted' }));
    expect(await gate()).toMatchObject({ code: 0 });
  });
});

describe('a ledger that was changed', () => {
  function tamper(sql: string): void {
    const database = new Database(ledgerPath(world.state));
    for (const name of database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
      database.exec(`DROP TRIGGER ${name}`);
    database.exec(sql);
    database.close();
  }
  const TO_PASSED = `UPDATE entries SET record = replace(record, '"verdict":"failed"', '"verdict":"passed"')`;

  it('answers 5 when the record was changed', async () => {
    world.append(await recordOf(path, { verdict: FAILED }));
    tamper(TO_PASSED);
    expect(await gate()).toMatchObject({ code: 5, document: { answer: 'broken' } });
  });
  it('answers 5 for a change anywhere only when asked to verify all of it', async () => {
    world.append(await recordOf(await world.point('a'), { verdict: FAILED }), await recordOf(await world.point('b')), await recordOf(path));
    expect(await gate({ verifyLedger: true })).toMatchObject({ code: 0 });
    tamper(TO_PASSED);
    expect(await gate()).toMatchObject({ code: 0 });
    expect(await gate({ verifyLedger: true })).toMatchObject({ code: 5 });
  });
});

describe('other ways to ask', () => {
  it('trusts names, lengths and times of change', async () => {
    world.append(await recordOf(path, { startedAt: new Date(Date.now() + 1000).toISOString() }));
    const now = new Date(Date.now() + 2000);
    expect(await gate({ trustDigest: true, now })).toMatchObject({ code: 0, document: { subject: { filesRead: false } } });
    await writeFile(join(path, 'disk0.raw'), Buffer.alloc(4097));
    expect(await gate({ trustDigest: true, now })).toMatchObject({ code: 1, codes: ['bytes-changed'] });
  });
  it('notices a file that was written after its verification', async () => {
    world.append(await recordOf(path, { startedAt: '2026-11-01T00:00:00Z' }));
    expect(await gate({ trustDigest: true })).toMatchObject({ code: 1, codes: ['bytes-changed'] });
  });
  it('does not trust a place where the last verification met other bytes', async () => {
    const later = new Date(Date.now() + 1000).toISOString();
    const failed = await recordOf(path, { startedAt: later, verdict: FAILED });
    failed.restorePoint.files = failed.restorePoint.files.slice(1);
    world.append(await recordOf(path, { startedAt: later }), failed);
    expect(await gate({ trustDigest: true, now: new Date(Date.now() + 2000) })).toMatchObject({ code: 1, codes: ['bytes-changed'] });
  });
  it('takes a digest', async () => {
    const record = await recordOf(path);
    world.append(record);
    const sha256 = record.restorePoint.files[0]?.sha256 ?? '';
    expect(await gate({ target: sha256 })).toMatchObject({ code: 0, document: { subject: { kind: 'digest', filesRead: false } } });
    expect(await gate({ target: `sha256:${'0'.repeat(64)}` })).toMatchObject({ code: 1, codes: ['no-record'] });
  });
  it('takes a machine, of which the newest restore point decides', async () => {
    world.append(await recordOf(path));
    expect(await gate({ target: 'db1' })).toMatchObject({ code: 0, document: { subject: { kind: 'machine' } } });
    expect(await gate({ target: 'db9' })).toMatchObject({ code: 1, codes: ['no-record'] });
    const bad = await world.point('db1-28', { takenAt: '2026-11-27T09:00:00Z' });
    world.append(await recordOf(bad, { verdict: FAILED }));
    const { code, document } = await gate({ target: 'machine:db1' });
    expect([code, document.notes.join()]).toEqual([1, expect.stringContaining('newest restore point that is proven is of 2026-11-27T01:00')]);
  });
  it('does not lose sight of a failure behind many verifications of older restore points', async () => {
    const bad = await world.point('db1-28', { takenAt: '2026-11-27T09:00:00Z' });
    const old = await recordOf(path);
    world.append(await recordOf(bad, { verdict: FAILED }), ...Array.from({ length: 60 }, (_, n) => ({ ...old, id: `old-${n}` })));
    expect(await gate({ target: 'db1' })).toMatchObject({ code: 1, document: { answer: 'failed' } });
  });
  it('is told in words, with what a guest named escaped', async () => {
    world.append(await recordOf(path, { verdict: { ...FAILED, reasons: ['bad\u001b[2Jname'] } }));
    const { streams, out } = capture();
    expect(await gateCommand({ target: path, state: world.state, now: NOW }, streams)).toBe(1);
    const text = out();
    expect(text).toContain('FAILED');
    expect(text).toContain('\\x1b[2J');
    expect(text).not.toContain('\u001b');
  });
  it.each([{ maxAge: '7' }, { maxAge: 'soon' }, { require: 'some' }, { depth: 'deep' }, { key: '/nowhere.pem' }])('refuses %j', async (options) => {
    await expect(gate(options)).rejects.toMatchObject({ exitCode: 2 });
  });
});
