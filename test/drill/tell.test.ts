/** Tells, against servers of this test: what they get, what they never get, and what comes of it when they are not there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DrillDocument } from '../../src/documents.js';
import type { MailTell, TellRule } from '../../src/drill/policy/types.js';
import { pingUrl, tellOutcome, tellStart, tellTrouble } from '../../src/drill/tell/index.js';
import { type Sink, type SinkOptions, smtpSink } from './smtp-sink.js';

const DRILL: DrillDocument = {
  schema: 'snapproof.drill/v1',
  id: 'd1',
  name: 'nightly',
  policy: { path: '/etc/nightly.yaml', sha256: 'a'.repeat(64) },
  startedAt: '2026-11-20T02:00:00.000Z',
  finishedAt: '2026-11-20T03:00:00.000Z',
  resumed: 0,
  deadlineAt: null,
  verdict: 'failed',
  reasons: ['größe of machine\r\nBcc: evil@example.org failed'],
  items: [],
  overdue: [],
  controls: [],
  told: [],
  operator: 'root@backup',
};
const PATIENCE = { timeoutMs: 500, pausesMs: [10, 10] };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Request {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** @param statuses of the answers in turn; the last one stays. 0: none at all. */
async function httpServer(...statuses: number[]): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const status = statuses[Math.min(requests.length, statuses.length) - 1] ?? 200;
      if (status !== 0) response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function web(channel: 'webhook' | 'ping', url: string, more: object = {}): TellRule {
  return { channel, url, headers: {}, onlyChanges: false, ...more };
}

describe('a webhook', () => {
  it('gets the document, with headers whose values come from the environment and are kept nowhere', async () => {
    const { url, requests } = await httpServer(204);
    const rule = web('webhook', `${url}/hook/secret-path?x=1`, { headers: { Authorization: { env: 'TOKEN' } } });
    const told = await tellOutcome([rule], DRILL, null, { env: { TOKEN: 'Bearer hush' }, patience: PATIENCE });
    expect(requests).toMatchObject([
      { method: 'POST', url: '/hook/secret-path?x=1', headers: { authorization: 'Bearer hush', 'content-type': 'application/json' } },
    ]);
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(DRILL);
    expect(told).toEqual([{ channel: 'webhook', target: url, ok: true, why: '' }]);
    expect(JSON.stringify(told)).not.toMatch(/hush|secret-path/);
  });

  it.each([
    [[500, 503, 200], true, 3],
    [[500], false, 3],
    [[404], false, 1],
    [[302], false, 1],
    [[0, 200], true, 2],
  ])('that answers %j is tried as long as that may help', async (statuses, ok, tries) => {
    const { url, requests } = await httpServer(...statuses);
    const [told] = await tellOutcome([web('webhook', url)], DRILL, null, { env: {}, patience: PATIENCE });
    expect([told?.ok, requests.length]).toEqual([ok, tries]);
    if (!ok) expect(told?.why).toMatch(/status \d+/);
  });

  it('that is not there, or whose secret is missing, is said', async () => {
    const { url } = await httpServer(200);
    for (const close of closing.splice(0)) close();
    const gone = web('webhook', url);
    const missing = web('webhook', url, { headers: { 'X-Key': { env: 'NO_SUCH_KEY' } } });
    const told = await tellOutcome([gone, missing], DRILL, null, { env: {}, patience: PATIENCE });
    expect(told.map(({ ok, why }) => [ok, why])).toEqual([
      [false, expect.stringMatching(/cannot be reached \(ECONNREFUSED\), after 3 tries/)],
      [false, 'the environment variable NO_SUCH_KEY is not set'],
    ]);
  });

  it('only of changes is left alone while the verdict stays', async () => {
    const { url, requests } = await httpServer(200);
    const rule = web('webhook', url, { onlyChanges: true });
    expect(await tellOutcome([rule], DRILL, 'failed', { env: {} })).toEqual([]);
    await tellOutcome([rule], DRILL, 'passed', { env: {} });
    await tellOutcome([rule], DRILL, null, { env: {} });
    expect(requests).toHaveLength(2);
  });
});

describe('a ping', () => {
  it('says start, exit code, and failure without a result', async () => {
    const { url, requests } = await httpServer(200);
    const rules = [web('ping', `${url}/uuid`), web('webhook', `${url}/hook`)];
    const context = { env: {}, patience: PATIENCE };
    await tellStart(rules, context);
    for (const verdict of ['passed', 'failed', 'inconclusive', 'void'] as const) await tellOutcome(rules.slice(0, 1), { ...DRILL, verdict }, null, context);
    await tellTrouble(rules.slice(0, 1), 'nightly', 'the ledger\nis full', context);
    expect(requests.map((request) => request.url)).toEqual(['/uuid/start', '/uuid', '/uuid/1', '/uuid/3', '/uuid/1', '/uuid/fail']);
    expect(requests.at(-1)?.body).toBe('Drill nightly came to no result: the ledger is full');
  });

  it('keeps the query behind the path', () => expect(pingUrl('https://h.example/a/?rid=1', 'start')).toBe('https://h.example/a/start?rid=1'));
});

describe('a mail', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-smtp-'));
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], { stdio: 'ignore' });
    writeFileSync(join(folder, 'password'), 'pass word\nnot this\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function sink(options: Pick<SinkOptions, 'starttls' | 'tls' | 'refuse'>): Promise<Sink> {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name), 'utf8')) as [string, string];
    const opened = await smtpSink({ ...options, key, cert });
    closing.push(opened.close);
    return opened;
  }

  function rule(port: number, changes: Partial<MailTell> = {}): MailTell {
    const base = { channel: 'mail' as const, to: ['a@example.org', 'b@example.org'], from: 'drill@example.org', server: '127.0.0.1', port, onlyChanges: false };
    return { ...base, security: 'starttls', user: null, password: null, ...changes };
  }

  const context = () => ({ env: {}, ca: readFileSync(join(folder, 'cert.pem'), 'utf8') });

  it.each(['starttls', 'tls'] as const)('goes by %s, logs in, and says what the drill says', async (security) => {
    const { port, lines, encryptedFrom } = await sink({ starttls: security === 'starttls', tls: security === 'tls' });
    const mail = rule(port, { security, user: 'me', password: { file: join(folder, 'password') } });
    const told = await tellOutcome([mail], DRILL, null, context());
    expect(told).toEqual([{ channel: 'mail', target: 'a@example.org, b@example.org', ok: true, why: '' }]);
    const login = lines.findIndex((line) => line.startsWith('AUTH PLAIN '));
    expect(login).toBeGreaterThan(encryptedFrom());
    expect(Buffer.from(lines[login]?.slice(11) ?? '', 'base64').toString()).toBe('\0me\0pass word');
    expect(lines.filter((line) => line.startsWith('RCPT'))).toEqual(['RCPT TO:<a@example.org>', 'RCPT TO:<b@example.org>']);
    const body = Buffer.from(lines.slice(lines.lastIndexOf('') + 1, lines.indexOf('.')).join(''), 'base64').toString();
    expect(body).toContain('- größe of machine Bcc: evil@example.org failed\n');
    expect(lines.some((line) => /^(Bcc|Subject: snapproof FAILED: nightly)/.test(line) && line.startsWith('Bcc'))).toBe(false);
    expect(lines).toContainEqual(expect.stringMatching(/^Subject: snapproof FAILED: nightly \(0 restore points, 0 not passed\)$/));
  });

  it('is not sent where the server offers no encryption, or a certificate of somebody unknown', async () => {
    const plain = await sink({});
    const unknown = await sink({ tls: true });
    const told = [
      ...(await tellOutcome([rule(plain.port)], DRILL, null, context())),
      ...(await tellOutcome([rule(unknown.port, { security: 'tls' })], DRILL, null, { env: {} })),
    ];
    expect(told.map(({ ok, why }) => [ok, why])).toEqual([
      [false, expect.stringMatching(/offers no STARTTLS, and without it nothing is sent/)],
      [false, expect.stringMatching(/cannot be reached: self.signed certificate/)],
    ]);
    expect(plain.lines.filter((line) => /^(MAIL|AUTH|DATA)/.test(line))).toEqual([]);
  });

  it.each([/^MAIL/, /^RCPT TO:<b/, /^AUTH/])('that is refused at %s is no success', async (refuse) => {
    const { port } = await sink({ starttls: true, refuse });
    const [told] = await tellOutcome([rule(port, { user: 'me', password: { file: join(folder, 'password') } })], DRILL, null, context());
    expect(told).toMatchObject({ ok: false, why: expect.stringMatching(/the server refused .*550 no/) });
    expect(told?.why).not.toContain(Buffer.from('\0me\0pass word').toString('base64'));
  });
});
