import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ledgerVerifyCommand } from '../../src/commands/ledger.js';
import { ledgerTimestampCommand } from '../../src/commands/ledger-timestamp.js';
import type { TimestampDocument } from '../../src/documents.js';
import { anchorsOf, exportArchive, objectionToTimestamp, verifyArchive } from '../../src/evidence/index.js';
import { openLedger } from '../../src/ledger/index.js';
import { capture } from '../commands/streams.js';
import { sampleTimestamp } from '../ledger/documents.js';
import { passed } from '../reporters/records.js';
import { newAuthority, type TestAuthority } from './authority.js';
import { newState, type TestState } from './state.js';

let authority: TestAuthority;
let stranger: TestAuthority;
beforeAll(() => {
  authority = newAuthority();
  stranger = newAuthority('Stranger');
});
afterAll(() => {
  authority.remove();
  stranger.remove();
});

let state: TestState;
beforeEach(async () => {
  state = newState();
  const recorder = await state.recorder();
  await recorder.append(passed);
  recorder.close();
});
afterEach(() => state.remove());

const stamp = (options: object): Promise<number> =>
  ledgerTimestampCommand({ state: state.stateFolder, tsaCa: authority.caFile, ...options }, capture().streams);

async function verifies(tsaCa?: string): Promise<{ code: number; text: string }> {
  const { streams, out } = capture();
  const code = await ledgerVerifyCommand({ state: state.stateFolder, tsaCa }, streams);
  return { code, text: out().replace(/\s+/g, ' ') };
}

function stored(): TimestampDocument[] {
  const ledger = openLedger(state.stateFolder);
  const found = ledger.documents({ kind: 'timestamp' }).map(({ document }) => document);
  ledger.close();
  return found;
}

describe('a time stamp', () => {
  it('of a program is verified and stored, and verifies later', async () => {
    expect(await stamp({ tsaCommand: authority.command })).toBe(0);
    const [document] = stored();
    expect(document).toMatchObject({ headSeq: 1, authority: expect.stringContaining('Test time stamps') });
    expect(Math.abs(Date.parse(document?.genTime ?? '') - Date.now())).toBeLessThan(60_000);
    expect(await verifies()).toMatchObject({
      code: 0,
      text: expect.stringContaining('There is 1 time stamp, the last of them about entry 1. Name the certificates'),
    });
    expect(await verifies(authority.caFile)).toMatchObject({ code: 0, text: expect.stringContaining('Their tokens verify.') });
    expect(await verifies(stranger.caFile)).toMatchObject({ code: 5, text: expect.stringContaining('does not accept its token') });
  });
  it('of a server is the same', async () => {
    const { url, server } = await authority.serve();
    try {
      expect(await stamp({ tsa: url })).toBe(0);
    } finally {
      server.close();
    }
    expect(stored()).toHaveLength(1);
    expect((await verifies(authority.caFile)).code).toBe(0);
  });
  it('goes into an archive, where openssl verifies it by hand as well', async () => {
    await stamp({ tsaCommand: authority.command });
    const folder = mkdtempSync(join(tmpdir(), 'snapproof-archive-'));
    try {
      const ledger = openLedger(state.stateFolder);
      const out = join(folder, 'all.tar.gz');
      await exportArchive(ledger, { stateFolder: state.stateFolder, selection: { from: null, to: null, machine: null }, out, signer: null });
      ledger.close();
      expect(await verifyArchive(out, anchorsOf([]), { tsaCa: authority.caFile })).toMatchObject({ ok: true, timestamps: 1 });
      expect((await verifyArchive(out, anchorsOf([]), { tsaCa: stranger.caFile })).problems).toEqual([expect.stringContaining('does not accept its token')]);
      execFileSync('tar', ['-xzf', out, '-C', folder]);
      const place = join(folder, 'snapproof-evidence');
      expect(readdirSync(join(place, 'timestamps'))).toEqual(['000000002.tst']);
      const guide = execFileSync('cat', ['VERIFY.md'], { cwd: place, encoding: 'utf8' });
      const [, step = ''] = /## 6\. Time stamps[\s\S]*?```sh\n([\s\S]*?)```/.exec(guide) ?? [];
      const by = (tsaCa: string): string =>
        execFileSync('sh', ['-eu'], { cwd: place, input: step, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, TSA_CA: tsaCa } });
      expect(by(authority.caFile)).toContain('Verification: OK');
      expect(() => by(stranger.caFile)).toThrow();
      expect(gunzipSync(execFileSync('cat', [out])).length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('nothing is stored', () => {
  afterEach(() => expect(stored()).toEqual([]));
  it('of an authority that the certificates do not know', async () => {
    await expect(stamp({ tsaCommand: stranger.command })).rejects.toMatchObject({ code: 'timestamp.refused', exitCode: 5 });
  });
  it.each([
    [['false'], 'exit code 1'],
    [['true'], 'its reply is empty'],
    [['echo', 'no reply'], 'openssl does not accept'],
    [['/no/such/program'], 'could not be started'],
    [['head', '-c', '300000', '/dev/zero'], 'too long'],
  ])('when the program is %j', async (tsaCommand, why) => {
    await expect(stamp({ tsaCommand })).rejects.toMatchObject({ message: expect.stringContaining(why) });
  });
  it('when the reply is about another query', async () => {
    const replay = ['sh', '-c', `cd "$0" && cat > /dev/null && cat reply.old`, authority.caFile.replace('/ca.pem', '')];
    const make =
      'openssl ts -query -digest "$1" -sha256 -cert -out old.tsq 2>/dev/null; openssl ts -reply -queryfile old.tsq -config tsa.cnf -out reply.old 2>/dev/null';
    execFileSync('sh', ['-c', `cd "$0" && ${make}`, authority.caFile.replace('/ca.pem', ''), 'a'.repeat(64)]);
    await expect(stamp({ tsaCommand: replay })).rejects.toMatchObject({ code: 'timestamp.refused' });
  });
  it('when the server says no, or says nothing at all', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
    await expect(stamp({ tsa: url })).rejects.toMatchObject({ code: 'timestamp.authority', message: expect.stringContaining('status 503') });
    await new Promise((resolve) => server.close(resolve));
    await expect(stamp({ tsa: url })).rejects.toMatchObject({ code: 'timestamp.authority' });
  });
  it.each([{}, { tsa: 'http://x/', tsaCommand: ['x'] }, { tsa: 'file:///etc/passwd' }, { tsa: 'http://x/', tsaCa: '/no/such/file' }])(
    'for the arguments %j',
    async (options) => {
      await expect(stamp(options)).rejects.toMatchObject({ exitCode: 2 });
    },
  );
});

describe('whoever changes a time stamp', () => {
  it('is found: another head, another time, another token', async () => {
    await stamp({ tsaCommand: authority.command });
    const [document] = stored();
    if (!document) throw new Error('no time stamp');
    const changed = (changes: Partial<TimestampDocument>): Promise<string | null> => objectionToTimestamp({ ...document, ...changes }, authority.caFile);
    expect(await changed({})).toBeNull();
    expect(await changed({ headHash: 'a'.repeat(64) })).toContain('does not accept');
    expect(await changed({ genTime: '2020-01-01T00:00:00.000Z' })).toContain('its token says');
    expect(await changed({ headHash: '-help' })).toContain('no hash');
    const bytes = Buffer.from(document.token, 'base64');
    // Not in the certificates that it brings along: those that count are the given ones.
    for (const at of [0, 40, bytes.indexOf(Buffer.from(document.headHash, 'hex')), bytes.length - 20]) {
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      expect([at, await changed({ token: other.toString('base64') })]).not.toEqual([at, null]);
    }
  });
  it('is found when it is about a head that the chain does not have', async () => {
    const ledger = openLedger(state.stateFolder);
    ledger.append(sampleTimestamp('t1', { headSeq: 1, headHash: 'f'.repeat(64) }));
    ledger.close();
    expect(await verifies()).toMatchObject({ code: 5, text: expect.stringContaining('a head that the chain does not have') });
  });
});
