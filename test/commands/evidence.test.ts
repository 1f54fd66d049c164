/** The verbs about evidence, from the key to the sign-off. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveVerifyCommand } from '../../src/commands/archive-verify.js';
import { attestCommand, ranges } from '../../src/commands/attest.js';
import { historyCommand } from '../../src/commands/history.js';
import { keysInitCommand, keysListCommand, keysRevokeCommand, keysRotateCommand } from '../../src/commands/keys.js';
import { ledgerVerifyCommand } from '../../src/commands/ledger.js';
import { ledgerExportCommand } from '../../src/commands/ledger-export.js';
import { ledgerHeadCommand } from '../../src/commands/ledger-head.js';
import { type Keyboard, passphraseFrom } from '../../src/commands/passphrase.js';
import { openRecording } from '../../src/commands/recording.js';
import { signOffCommand } from '../../src/commands/sign-off.js';
import type { LedgerDocument } from '../../src/documents.js';
import type { ExitCode } from '../../src/errors.js';
import { checkWord } from '../../src/evidence/index.js';
import { ledgerPath, problemsOfDocument } from '../../src/ledger/index.js';
import { sampleDrill } from '../ledger/documents.js';
import { failed, inconclusive, passed } from '../reporters/records.js';
import { capture } from './streams.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

interface Said {
  code: ExitCode;
  out: string;
  err: string;
}

async function run(command: (streams: ReturnType<typeof capture>['streams']) => Promise<ExitCode>): Promise<Said> {
  const { streams, out, err } = capture();
  const code = await command(streams);
  return { code, out: out(), err: err() };
}

async function store(...documents: LedgerDocument[]): Promise<void> {
  const recorder = await openRecording({ state }, capture().streams);
  for (const document of documents) await recorder.append(document);
  recorder.close();
}

const init = (options: object = {}): Promise<Said> => run((streams) => keysInitCommand({ state, ...options }, streams));
const verify = (options: object = {}): Promise<Said> => run((streams) => ledgerVerifyCommand({ state, ...options }, streams));
const signOff = (about: string, options: object = {}): Promise<Said> =>
  run((streams) => signOffCommand(about, { state, reviewer: 'A. Reviewer', note: 'Looked at it.', ...options }, streams));

describe('keys', () => {
  it('are made, listed, rotated and revoked', async () => {
    const first = await init();
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^[0-9a-f]{64}\n$/), err: expect.stringContaining('Write its id down elsewhere') });
    const second = await run((streams) => keysRotateCommand({ state, reason: 'Yearly.' }, streams));
    expect(second.out).not.toBe(first.out);
    await run((streams) => keysRevokeCommand(first.out.slice(0, 12), { state, reason: 'Lost laptop.' }, streams));
    const { out } = await run((streams) => keysListCommand({ state }, streams));
    expect(out).toMatch(new RegExp(`${first.out.trim()} +revoked +1 +3 +here +Lost laptop\\.`));
    expect(out).toMatch(new RegExp(`${second.out.trim()} +in use +2`));
    const { out: json } = await run((streams) => keysListCommand({ state, json: true }, streams));
    expect(JSON.parse(json)).toMatchObject({ schema: 'snapproof.keys/v1', keys: [{ standing: 'revoked' }, { standing: 'trusted', inUse: true }] });
    expect((await verify()).code).toBe(0);
  });
  it('when there is none it is said', async () => {
    expect(await run((streams) => keysListCommand({ state }, streams))).toMatchObject({ code: 0, out: '', err: expect.stringContaining('There is no key') });
  });
});

describe('ledger verify', () => {
  it('counts signatures, and with --require-signature nothing may lack one', async () => {
    await store(passed);
    expect(await verify()).toMatchObject({ code: 0, out: expect.stringContaining('No document is signed.') });
    expect((await verify({ requireSignature: true })).code).toBe(5);
    expect((await verify({ key: ['0'.repeat(64)] })).code).toBe(5);
    const { out: keyId } = await init();
    expect((await verify()).out.replace(/\s+/g, ' ')).toContain('1 document is signed with keys that count here; 1 is unsigned.');
    const attested = await run((streams) => attestCommand({ state }, streams));
    expect(attested.out).toMatch(/^Signed 1 document \(entry 1\) with the key/);
    expect((await verify({ requireSignature: true, key: [keyId.trim()] })).code).toBe(0);
    expect((await verify({ key: ['0'.repeat(64)] })).code).toBe(5);
    await expect(verify({ key: ['/no/such/file'] })).rejects.toMatchObject({ exitCode: 2 });
    expect(JSON.parse((await verify({ json: true })).out)).toMatchObject({ ok: true, signatures: { signed: 2, unsigned: 0 }, timestamps: { count: 0 } });
  });
  it.each([
    ['a record that an index no longer finds', 'DELETE FROM files WHERE seq = 2', 'is not found by the digests'],
    ['a digest that was put in', "INSERT INTO files VALUES ('x', 1)", 'names files that entry 1 does not have'],
    ['a trigger that is gone', 'DROP TRIGGER entries_no_delete', 'trigger entries_no_delete is missing'],
    ['an index that is gone', 'DROP INDEX entries_by_machine', 'index entries_by_machine is missing'],
    ['a table that was put in', 'CREATE TABLE other (x)', 'table other was put in'],
  ])('finds %s', async (_what, sql, message) => {
    await store(passed, failed);
    const database = new Database(ledgerPath(state));
    const guards = database.prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'files_no_%'").all();
    for (const { name } of guards) database.exec(`DROP TRIGGER ${name}`);
    database.exec(sql);
    for (const guard of guards) database.exec(guard.sql);
    database.close();
    const { code, out } = await verify();
    expect(code).toBe(5);
    expect(out.replace(/\s+/g, ' ')).toContain(message);
  });
  it('finds any byte of the file that was changed, unless nothing is read from it', async () => {
    await init();
    await store(passed, failed, inconclusive, sampleDrill('d1'));
    const database = new Database(ledgerPath(state));
    database.pragma('journal_mode = DELETE');
    const contents = (path: string): unknown => {
      const copy = new Database(path, { readonly: true });
      try {
        return ['entries', 'head', 'files', 'envelopes'].map((table) => copy.prepare(`SELECT * FROM ${table}`).all());
      } finally {
        copy.close();
      }
    };
    database.close();
    const original = readFileSync(ledgerPath(state));
    const before = contents(ledgerPath(state));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: original.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const changed = Buffer.from(original);
        changed.writeUInt8(changed.readUInt8(at) ^ difference, at);
        writeFileSync(ledgerPath(state), changed);
        for (const end of ['-wal', '-shm']) rmSync(ledgerPath(state) + end, { force: true });
        const code = await verify().then(
          (said) => said.code,
          (error: { exitCode?: number }) => error.exitCode,
        );
        if (code === 0) expect(contents(ledgerPath(state))).toEqual(before);
        else expect(code).toBe(5);
      }),
      { numRuns: 120, seed: 20261120 },
    );
  }, 60_000);
});

describe('ledger head', () => {
  it('is a line, a document, or a paper with groups and words', async () => {
    await store(passed);
    const { out: line } = await run((streams) => ledgerHeadCommand({ state }, streams));
    const { out: json } = await run((streams) => ledgerHeadCommand({ state, json: true }, streams));
    expect(JSON.parse(json)).toMatchObject({ schema: 'snapproof.ledger-head/v1', count: 1, hash: line.trim(), keyId: null });
    const { out: paper } = await run((streams) => ledgerHeadCommand({ state, paper: true }, streams));
    const groups = /--head "([0-9a-f ]+)"/.exec(paper)?.[1] ?? '';
    expect(groups.replaceAll(' ', '')).toBe(line.trim());
    expect((await verify({ head: groups })).code).toBe(0);
    const lines = [...paper.matchAll(/([0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4}) {3}([a-z]{4})$/gm)];
    expect(lines).toHaveLength(4);
    for (const [, digits = '', word] of lines) expect(checkWord(digits.replaceAll(' ', ''))).toBe(word);
    expect(Math.max(...paper.split('\n').map((text) => text.length))).toBeLessThan(120);
  });
});

describe('sign-off', () => {
  it('is stored, signed, and shown', async () => {
    await init();
    await store(failed, passed, sampleDrill('d1'));
    const options = { reject: true, ticket: 'OPS-7', correctiveAction: 'New disk.', retest: '3' };
    expect(await signOff(failed.id, options)).toMatchObject({ code: 0, out: expect.stringMatching(/^Rejected .*: entry 5, sign-off sign-off-/) });
    const { out } = await signOff('4', { json: true });
    const document = JSON.parse(out);
    expect(document).toMatchObject({ about: 'd1', decision: 'accepted', reviewer: 'A. Reviewer', retest: null });
    expect(problemsOfDocument(document)).toEqual([]);
    const history = await run((streams) => historyCommand({ state, kind: 'sign-off' }, streams));
    expect(history.out).toContain(`rejected ${failed.id} by A. Reviewer (OPS-7): Looked at it.`);
    const json = await run((streams) => historyCommand({ state, kind: 'sign-off', json: true }, streams));
    expect(JSON.parse(json.out).entries[1].document).toMatchObject({ about: failed.id, retest: passed.id, correctiveAction: 'New disk.' });
    expect(JSON.parse((await verify({ json: true })).out)).toMatchObject({ ok: true, signatures: { unsigned: 0 } });
  });
  it.each([
    ['what is not there', 'nobody', {}],
    ['a key', '1', {}],
    ['a retest that is no record', '2', { retest: '3' }],
    ['nobody who looked', '2', { reviewer: ' ' }],
    ['nothing that was found', '2', { note: '' }],
  ])('about %s is refused, and nothing is stored', async (_what, about, options) => {
    await init();
    await store(failed, sampleDrill('d1'));
    await expect(signOff(about, options)).rejects.toMatchObject({ exitCode: 2 });
    expect(JSON.parse((await verify({ json: true })).out)).toMatchObject({ count: 3 });
  });
});

describe('history --kind', () => {
  it('shows everything in one line each', async () => {
    await init();
    await store(passed, sampleDrill('d1'));
    const { out } = await run((streams) => historyCommand({ state, kind: 'all' }, streams));
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/)[2])).toEqual(['KIND', 'drill', 'record', 'key', undefined, undefined]);
    expect(await run((streams) => historyCommand({ state, kind: 'timestamp' }, streams))).toMatchObject({ out: '', err: 'No document in the ledger fits.\n' });
    const record = await run((streams) => historyCommand({ state, kind: 'record' }, streams));
    expect(record.out).toBe((await run((streams) => historyCommand({ state }, streams))).out);
  });
  it.each([{ kind: 'other' }, { kind: 'drill', machine: 'x' }, { kind: 'key', limit: 0 }])('refuses %j', async (options) => {
    await expect(historyCommand({ state, ...options }, capture().streams)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('ledger export', () => {
  it('writes what ledger verify reads', async () => {
    const { out: keyId } = await init();
    await store(passed, failed);
    const out = join(state, 'evidence.tar.gz');
    const exported = await run((streams) => ledgerExportCommand({ state, out }, streams));
    expect(exported.out).toContain('holds 3 documents of 3. The archive as a whole is signed');
    const found = await run((streams) => archiveVerifyCommand(out, { key: [keyId.trim()], requireSignature: true }, streams));
    expect(found).toMatchObject({ code: 0, out: expect.stringMatching(/^VERIFIED\n/) });
    expect((await run((streams) => archiveVerifyCommand(out, {}, streams))).out.replace(/\s+/g, ' ')).toContain('Trust begins here with the first key');
    expect((await run((streams) => archiveVerifyCommand(out, { key: ['1'.repeat(64)] }, streams))).code).toBe(5);
    writeFileSync(out, readFileSync(out).subarray(0, -9));
    const broken = await run((streams) => archiveVerifyCommand(out, { json: true }, streams));
    expect(broken.code).toBe(5);
    expect(JSON.parse(broken.out)).toMatchObject({ schema: 'snapproof.archive-verification/v1', ok: false });
    await expect(archiveVerifyCommand('/no/such/file', {}, capture().streams)).rejects.toMatchObject({ exitCode: 2 });
    await expect(ledgerExportCommand({ state, out: join(state, 'x.tar.gz'), from: 'soon' }, capture().streams)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('a passphrase', () => {
  it('comes from the first line of a file that nobody else may read', async () => {
    const file = join(state, 'secret');
    writeFileSync(file, 'correct horse\nbattery\n', { mode: 0o600 });
    const passphrase = passphraseFrom({ SNAPPROOF_KEY_PASSPHRASE_FILE: file }, new PassThrough() as unknown as Keyboard, capture().streams.stderr);
    expect(await passphrase('key')).toBe('correct horse');
    rmSync(file);
    writeFileSync(file, 'correct horse', { mode: 0o644 });
    await expect(passphrase('key')).rejects.toMatchObject({ exitCode: 2, advice: expect.stringContaining('chmod 600') });
  });
  it('is asked for at a terminal, without showing it, and nowhere else', async () => {
    const modes: boolean[] = [];
    const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) });
    const shown = Object.assign(new PassThrough(), { isTTY: true });
    const ask = passphraseFrom({}, keyboard as unknown as Keyboard, shown);
    const answer = ask('the key');
    keyboard.write('corrx');
    keyboard.write('\u007fect\rrest');
    expect(await answer).toBe('correct');
    expect(modes).toEqual([true, false]);
    expect(String(shown.read())).toBe('Passphrase of the key: \n');
    const given = ask('the key');
    keyboard.write('abc\u0003');
    expect(await given).toBeNull();
    expect(await passphraseFrom({}, new PassThrough() as unknown as Keyboard, shown)('the key')).toBeNull();
  });
});

describe('numbers of entries', () => {
  it('are told as ranges', () => {
    expect(ranges([3])).toBe('entry 3');
    expect(ranges([1, 2, 3, 7, 9, 10])).toBe('entries 1 to 3, 7, 9 to 10');
  });
});
