/** The probes against the servers that people run: what they really say. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { TestServer } from '../../innodb/testing/server.js';
import { directoryArguments } from '../../lmdb/testing/directory.js';
import { TestCluster } from '../../postgresql/testing/cluster.js';
import { missingPackages, RealServer } from '../../testing/server.js';
import { hostNetwork } from '../testing/host-network.js';
import { probeOf, type ServiceAnswer } from './all.js';

const missing = missingPackages({ slapd: 'slapd', mariadbd: 'mariadb-server', 'redis-server': 'redis-server', openssl: 'openssl', busybox: 'busybox-static' });
const folder = mkdtempSync(join(tmpdir(), 'sp-services-'));
const sbin = { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } };
const network = hostNetwork();

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function ask(protocol: string, port: number, timeoutMs = 3000): Promise<ServiceAnswer> {
  const probe = probeOf(protocol);
  if (!probe) throw new Error(`there is no probe of ${protocol}`);
  return probe.probe(network, '127.0.0.1', port, { timeoutMs });
}

async function started(command: string, args: string[], protocol: string, port: number): Promise<RealServer> {
  const server = new RealServer(command, args, sbin);
  onTestFinished(() => server.stop('SIGKILL'));
  const up = await server.until(async () => (await ask('tcp', port)).state !== 'refused');
  if (!up) throw new Error(`${command} did not open port ${port} for ${protocol}: ${server.output}`);
  return server;
}

/** Until the answer says so: servers read their settings anew when they come to it. */
async function until(work: () => Promise<ServiceAnswer>, what: RegExp): Promise<ServiceAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await work();
    if (what.test(answer.what)) return answer;
    if (tries === 50) throw new Error(`it went on saying ${answer.what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

it('PostgreSQL answers, also where this host may not come in', async () => {
  const port = await freePort();
  process.env.PGPORT = String(port);
  const cluster = TestCluster.create({ scale: 1, settings: ["listen_addresses='127.0.0.1'", `port=${port}`] });
  try {
    expect(await ask('postgresql', port)).toMatchObject({ answered: true, what: expect.stringContaining('who is there') });
    writeFileSync(join(cluster.data, 'pg_hba.conf'), 'local all all trust\nhost all all 127.0.0.1/32 reject\n');
    cluster.sql('select pg_reload_conf()');
    expect(await until(() => ask('postgresql', port), /28000.*pg_hba/)).toMatchObject({ answered: true });
    expect(await ask('mysql', port, 1000)).toMatchObject({ answered: false });
  } finally {
    cluster.destroy();
    delete process.env.PGPORT;
  }
});

it('MariaDB answers, and is not taken for another', async () => {
  const port = await freePort();
  const server = await TestServer.create({ schema: 'select 1', settings: ['--skip-networking=0', '--bind-address=127.0.0.1', `--port=${port}`] });
  try {
    expect(await ask('mysql', port)).toMatchObject({ answered: true, what: expect.stringMatching(/version ".*MariaDB/) });
    expect(await ask('ssh', port)).toMatchObject({ answered: false, state: 'other' });
  } finally {
    await server.destroy();
  }
});

it('Redis answers with and without a password', async () => {
  const port = await freePort();
  const settings = ['--bind', '127.0.0.1', '--save', '', '--dir', folder];
  await started('redis-server', ['--port', String(port), ...settings], 'redis', port);
  expect(await ask('redis', port)).toMatchObject({ answered: true, proves: 'service', what: expect.stringContaining('+PONG') });
  const locked = await freePort();
  await started('redis-server', ['--port', String(locked), '--requirepass', 'secret', ...settings], 'redis', locked);
  expect(await ask('redis', locked)).toMatchObject({ answered: true, what: expect.stringContaining('NOAUTH') });
});

it('OpenLDAP answers', async () => {
  const port = await freePort();
  const { args } = directoryArguments(join(folder, 'ldap'));
  const at = args.map((word) => (word.startsWith('ldapi:') ? `ldap://127.0.0.1:${port}` : word));
  await started('slapd', at, 'ldap', port);
  expect(await ask('ldap', port)).toMatchObject({ answered: true, what: expect.stringContaining('the root entry') });
});

it('web servers answer, plainly and over TLS, whatever their certificate', async () => {
  const port = await freePort();
  await started('busybox', ['httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', folder], 'http', port);
  expect(await ask('http', port)).toMatchObject({ answered: true, what: expect.stringMatching(/"HTTP\/1\.[01] 404 Not Found"/) });
  expect(await ask('https', port)).toMatchObject({ answered: false });
  const [key, cert] = ['key', 'cert'].map((name) => join(folder, name)) as [string, string];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-days', '1', '-keyout', key, '-out', cert],
    {
      stdio: 'ignore',
    },
  );
  const secure = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(secure, 'listening');
  onTestFinished(() => void secure.close());
  const secured = (secure.address() as AddressInfo).port;
  expect(await ask('https', secured)).toMatchObject({ answered: true, what: expect.stringMatching(/503 Service Unavailable", over TLS/) });
  expect(await ask('tls', secured)).toMatchObject({ answered: true, what: expect.stringContaining('TLSv1.3') });
  expect(await ask('http', secured)).toMatchObject({ answered: false });
  expect(await ask('smtps', secured, 1000)).toMatchObject({ answered: false });
});
