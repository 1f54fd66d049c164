import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preAuthenticationEncoding } from '../../src/evidence/dsse.js';
import {
  anchorsOf,
  attest,
  checkLedgerSignatures,
  initKey,
  keyPath,
  revokeKey,
  rotateKey,
  type SignatureReport,
  signaturesOfEntry,
} from '../../src/evidence/index.js';
import { type Ledger, openLedger } from '../../src/ledger/index.js';
import { sampleDrill, sampleSignOff } from '../ledger/documents.js';
import { failed, inconclusive, passed } from '../reporters/records.js';
import { newState, type TestState, withKey } from './state.js';

let state: TestState;
beforeEach(() => {
  state = newState();
});
afterEach(() => state.remove());

const NEW = { passphrase: null, publicKey: null };

async function store(...documents: Parameters<Ledger['append']>[0][]): Promise<void> {
  const recorder = await state.recorder();
  for (const document of documents) await recorder.append(document);
  recorder.close();
}

async function withLedger<T>(work: (ledger: Ledger) => T | Promise<T>): Promise<T> {
  const ledger = openLedger(state.stateFolder);
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}

const check = (named: string[] = []): Promise<SignatureReport> => withLedger((ledger) => checkLedgerSignatures(ledger, anchorsOf(named)));

interface Said {
  predicateType: string;
  subject: { name: string; digest: { sha256: string } }[];
  predicate: Record<string, unknown>;
}

/** What is signed of an entry, by the name of the statement. */
function statementsOf(ledger: Ledger, seq: number): Record<string, Said> {
  const all = ledger.envelopesOf(seq).map(({ statement, text }) => [statement, JSON.parse(Buffer.from(JSON.parse(text).payload, 'base64').toString('utf8'))]);
  return Object.fromEntries(all) as Record<string, Said>;
}

describe('records', () => {
  it('are signed as they are stored: what was tested, and their place in the chain', async () => {
    await withKey(state);
    await store(passed, failed, inconclusive, sampleDrill('d1'));
    expect(await check()).toMatchObject({ signed: 5, unsigned: 0, signatures: 7, problems: [] });
    await withLedger((ledger) => {
      const { record, 'test-result': result } = statementsOf(ledger, 2);
      expect(result).toMatchObject({ predicateType: 'https://in-toto.io/attestation/test-result/v0.1', predicate: { result: 'PASSED' } });
      expect(result?.subject).toEqual(passed.restorePoint.files.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })));
      const entry = ledger.at(2)?.entry;
      expect(record).toMatchObject({ predicateType: 'urn:snapproof:record:v1', predicate: { ...entry, verdict: 'passed', schema: 'snapproof.record/v1' } });
      expect(statementsOf(ledger, 3)['test-result']?.predicate.result).toBe('FAILED');
    });
  });
  it('that are inconclusive never get a test result, only their place', async () => {
    await withKey(state);
    await store(inconclusive);
    await withLedger((ledger) => {
      expect(Object.keys(statementsOf(ledger, 2))).toEqual(['record']);
      expect(statementsOf(ledger, 2).record?.predicate.verdict).toBe('inconclusive');
      expect(JSON.stringify(statementsOf(ledger, 2))).not.toMatch(/PASSED|WARNED/);
    });
  });
  it('name their checks by outcome', async () => {
    await withKey(state);
    await store(failed);
    const { passedTests, warnedTests, failedTests } = (await withLedger((ledger) => statementsOf(ledger, 2)['test-result']?.predicate)) as Record<
      string,
      string[]
    >;
    const named = [...(passedTests ?? []), ...(warnedTests ?? []), ...(failedTests ?? [])];
    expect(failedTests?.length).toBe(failed.checks.filter(({ outcome }) => outcome === 'fail').length);
    expect(named.length).toBe(failed.checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'pass').length);
  });
  it('are verified by openssl as well', async () => {
    const keyId = await withKey(state);
    await store(passed);
    const folder = mkdtempSync(join(tmpdir(), 'snapproof-openssl-'));
    try {
      await withLedger((ledger) => {
        for (const { text } of ledger.envelopesOf(2)) {
          const { payloadType, payload, signatures } = JSON.parse(text);
          writeFileSync(join(folder, 'pae'), preAuthenticationEncoding(payloadType, Buffer.from(payload, 'base64')));
          writeFileSync(join(folder, 'sig'), Buffer.from(signatures[0].sig, 'base64'));
          const verify = ['pkeyutl', '-verify', '-rawin', '-inkey', keyPath(state.stateFolder, keyId), '-in', 'pae', '-sigfile', 'sig'];
          expect(execFileSync('openssl', verify, { cwd: folder, encoding: 'utf8' })).toContain('Signature Verified Successfully');
        }
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('without a key that can be used', () => {
  it('nothing is said when there never was one', async () => {
    await store(passed);
    expect(state.told).toEqual([]);
    expect(await check()).toMatchObject({ signed: 0, unsigned: 1, problems: [] });
  });
  it('a record is stored unsigned, that is told once, and attest makes it good', async () => {
    const keyId = await withKey(state);
    const path = keyPath(state.stateFolder, keyId);
    renameSync(path, `${path}.away`);
    await store(passed, inconclusive);
    expect(state.told.map(({ code }) => code)).toEqual(['key.missing']);
    expect(await check()).toMatchObject({ signed: 1, unsigned: 2, problems: [] });
    await expect(withLedger((ledger) => attest(ledger, state))).rejects.toMatchObject({ code: 'key.missing' });
    renameSync(`${path}.away`, path);
    expect(await withLedger((ledger) => attest(ledger, state))).toEqual({ keyId, signed: [2, 3], before: 1, spoiled: [] });
    expect(await check()).toMatchObject({ signed: 3, unsigned: 0, signatures: 4, problems: [] });
    expect(await withLedger((ledger) => attest(ledger, state))).toMatchObject({ signed: [], before: 3 });
  });
  it('a key that others may read is refused with the command that closes it', async () => {
    const path = keyPath(state.stateFolder, await withKey(state));
    chmodSync(path, 0o640);
    await store(passed);
    expect(state.told[0]).toMatchObject({ code: 'key.open', advice: expect.stringContaining(`chmod 600 '${path}'`) });
    expect(await check()).toMatchObject({ signed: 1, unsigned: 1 });
  });
  it('with a signature required nothing is started', async () => {
    await expect(state.recorder(true)).rejects.toMatchObject({ code: 'key.none', exitCode: 5 });
    const path = keyPath(state.stateFolder, await withKey(state));
    rmSync(path);
    await expect(state.recorder(true)).rejects.toMatchObject({ code: 'key.missing', exitCode: 5 });
  });
  it('a key that ends while a run is at work signs nothing more, and the record is kept', async () => {
    await withKey(state);
    const recorder = await state.recorder();
    await withLedger((ledger) => rotateKey(ledger, state, NEW, 'Yearly.'));
    await recorder.append(passed);
    recorder.close();
    expect(state.told.map(({ code }) => code)).toEqual(['key.ended']);
    expect(await check()).toMatchObject({ unsigned: 1, problems: [] });
  });
  it('attest signs nothing in a ledger that does not verify', async () => {
    await store(passed, failed);
    await withKey(state);
    state.tamper(`UPDATE entries SET record = replace(record, '"verdict":"failed"', '"verdict":"passed"') WHERE seq = 2`);
    await expect(withLedger((ledger) => attest(ledger, state))).rejects.toMatchObject({ code: 'ledger.broken', exitCode: 5 });
    expect(await withLedger((ledger) => ledger.envelopesOf(2))).toEqual([]);
  });
});

describe('a private key with a passphrase', () => {
  it('signs with it, and with no other', async () => {
    state.remove();
    let passphrase: string | null = 'correct horse';
    state = newState({ passphrase: async () => passphrase });
    await withKey(state, passphrase);
    await store(passed);
    for (passphrase of ['wrong', null]) await store({ ...passed, id: `other-${passphrase}` });
    expect(state.told.map(({ code }) => code)).toEqual(['key.unreadable', 'key.locked']);
    expect(await check()).toMatchObject({ signed: 2, unsigned: 2 });
  });
});

describe('keys', () => {
  it('rotate: the old key vouches for the new one; what each signed in its time counts', async () => {
    const old = await withKey(state);
    await store(passed);
    const { key } = await withLedger((ledger) => rotateKey(ledger, state, NEW, 'Yearly.'));
    await store(failed);
    const report = await check();
    expect(report).toMatchObject({ signed: 5, unsigned: 0, problems: [] });
    expect(report.keys).toMatchObject([
      { keyId: old, standing: 'rotated', endSeq: 4 },
      { keyId: key.keyId, standing: 'trusted', endSeq: null },
    ]);
    expect((await withLedger((ledger) => signaturesOfEntry(ledger, 5)))?.keyIds).toEqual([key.keyId]);
  });
  it('revoked: what was signed before stays valid, nothing after does', async () => {
    const stolen = await withKey(state);
    await store(passed);
    await withLedger((ledger) => rotateKey(ledger, state, NEW, 'Stolen.'));
    await withLedger((ledger) => revokeKey(ledger, state, stolen.slice(0, 8), 'Stolen.'));
    const thief = await state.recorder();
    await thief.append(failed);
    thief.close();
    expect(await check()).toMatchObject({ signed: 6, problems: [] });
    // The thief signs with the stolen key what comes after.
    const { readKey } = await import('../../src/evidence/key-files.js');
    const { signerOf, seal } = await import('../../src/evidence/signer.js');
    const { fromKey } = await import('../../src/evidence/public-key.js');
    const privateKey = await readKey(state.stateFolder, stolen, state.passphrase);
    await withLedger(async (ledger) => {
      const entry = ledger.append(inconclusive);
      ledger.addEnvelopes(entry.seq, await seal(signerOf(fromKey(privateKey), privateKey), inconclusive, entry));
    });
    const report = await check();
    expect(report.problems).toMatchObject([{ seq: 7, message: expect.stringContaining('its key was revoked before, at entry 4') }]);
    expect(report).toMatchObject({ signed: 6, unsigned: 1 });
  });
  it('the last one may revoke itself', async () => {
    const only = await withKey(state);
    await withLedger((ledger) => revokeKey(ledger, state, only, 'Done.'));
    await store(passed);
    expect(await check()).toMatchObject({ signed: 2, unsigned: 1, problems: [], keys: [{ standing: 'revoked', endSeq: 2 }] });
  });
  it('of a new beginning count only when they are named', async () => {
    const first = await withKey(state);
    rmSync(keyPath(state.stateFolder, first));
    const { key } = await withLedger((ledger) => initKey(ledger, state, NEW, true));
    await store(passed);
    expect((await check()).problems.map(({ seq }) => seq)).toEqual([2, 2, 3, 3]);
    expect(await check([first, key.keyId])).toMatchObject({ problems: [], signed: 3 });
  });
  it('two are not made without need', async () => {
    await withKey(state);
    await expect(withKey(state)).rejects.toMatchObject({ code: 'key.exists', exitCode: 5 });
  });
  it('that nobody trusts vouch for nothing: with another key named, all of it is doubted', async () => {
    await withKey(state);
    await store(passed);
    expect((await check(['0'.repeat(64)])).problems.length).toBeGreaterThan(1);
  });
  it('are known by at least 8 digits', async () => {
    const only = await withKey(state);
    await expect(withLedger((ledger) => revokeKey(ledger, state, only.slice(0, 7), ''))).rejects.toMatchObject({ code: 'key.unknown' });
  });
});

describe('a signing command', () => {
  const AGENT = `const { createPrivateKey, sign } = require('node:crypto'); const fs = require('node:fs');
    process.stdout.write(sign(null, fs.readFileSync(0), createPrivateKey(fs.readFileSync(process.argv[2]))));`;
  it('signs what is stored; when it fails, nothing is lost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'snapproof-agent-'));
    try {
      const secret = join(folder, 'secret.pem');
      execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', secret]);
      execFileSync('openssl', ['pkey', '-in', secret, '-pubout', '-out', join(folder, 'public.pem')]);
      writeFileSync(join(folder, 'agent.cjs'), AGENT);
      state.env.SNAPPROOF_SIGN_COMMAND = JSON.stringify([process.execPath, join(folder, 'agent.cjs'), secret]);
      const { keys } = anchorsOf([join(folder, 'public.pem')]);
      const publicKey = keys[0] ?? null;
      await withLedger((ledger) => initKey(ledger, state, { passphrase: null, publicKey }, false));
      await store(passed, sampleSignOff('s1', passed.id));
      expect(await check([join(folder, 'public.pem')])).toMatchObject({ signed: 3, unsigned: 0, problems: [] });
      rmSync(secret);
      await store(failed);
      expect(state.told[0]).toMatchObject({ code: 'key.agent', message: expect.stringContaining('exit code 1') });
      expect(await check()).toMatchObject({ signed: 3, unsigned: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('whoever changes signatures', () => {
  beforeEach(async () => {
    await withKey(state);
    await store(passed, failed);
  });
  it.each([
    ['UPDATE envelopes SET seq = 99 WHERE seq = 2', 'no such entry'],
    ["UPDATE envelopes SET key_id = 'x' WHERE seq = 2", 'its key is not in the ledger'],
    ["UPDATE envelopes SET statement = 'other' WHERE seq = 2 AND statement = 'record'", 'there must be no statement "other"'],
    [
      "UPDATE envelopes SET envelope = (SELECT envelope FROM envelopes WHERE seq = 3 AND statement = 'record') WHERE seq = 2 AND statement = 'record'",
      'another subject',
    ],
    ['UPDATE envelopes SET envelope = replace(envelope, \'"sig":"\', \'"sig":"A\') WHERE seq = 2', 'signature'],
    ["UPDATE envelopes SET envelope = replace(envelope, 'in-toto', 'in-tuto') WHERE seq = 2", 'payload type'],
    ["UPDATE envelopes SET envelope = ' ' || envelope WHERE seq = 2", 'canonical'],
    ["UPDATE envelopes SET envelope = '[' WHERE seq = 2", 'no JSON'],
  ])('is found: %s', async (sql, why) => {
    state.tamper(sql);
    const report = await check();
    expect(report.problems.map(({ message }) => message).join('\n')).toContain(why);
  });
  it('cannot make a failed record pass, though every hash of the chain is made anew', async () => {
    state.tamper(`DELETE FROM envelopes WHERE seq = 3 AND statement = 'test-result'`);
    state.tamper(`UPDATE entries SET record = replace(record, '"verdict":"failed"', '"verdict":"passed"') WHERE seq = 3`);
    const { sha256Hex, entryHash } = await import('../../src/ledger/index.js');
    const [entry, text] = await withLedger((ledger) => {
      const signed = ledger.text(3);
      return [signed?.entry, signed?.text ?? ''] as const;
    });
    if (!entry) throw new Error('no entry 3');
    const forged = { ...entry, recordSha256: sha256Hex(text) };
    const hash = entryHash(forged);
    state.tamper(`UPDATE entries SET record_sha256 = '${forged.recordSha256}', entry_hash = '${hash}' WHERE seq = 3; UPDATE head SET hash = '${hash}'`);
    expect(await withLedger((ledger) => ledger.verify().ok)).toBe(true);
    expect((await check()).problems).toMatchObject([{ seq: 3, message: expect.stringContaining('another subject') }]);
  });
});
