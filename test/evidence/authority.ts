/** An authority for time stamps of the test's own, made with openssl: its certificates, and a program that answers queries. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestAuthority {
  caFile: string;
  /** Gets a query on standard input, gives the reply on standard output. */
  command: string[];
  /** The same as a server; the caller closes it. */
  serve(): Promise<{ url: string; server: Server }>;
  remove(): void;
}

const CONFIG = `[tsa]
default_tsa = own
[own]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
`;
const ANSWER = 'cat > query.$$ && openssl ts -reply -queryfile query.$$ -config tsa.cnf -out reply.$$ 2>/dev/null && cat reply.$$';

export function newAuthority(name = 'Test'): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-authority-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  writeFileSync(join(folder, 'tsa.cnf'), CONFIG);
  writeFileSync(join(folder, 'serial'), '01');
  writeFileSync(join(folder, 'extensions'), 'extendedKeyUsage = critical,timeStamping\n');
  openssl('req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', `/CN=${name} authority`);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', `/CN=${name} time stamps`);
  openssl('x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions', '-out', 'tsa.pem');
  const answer = (query: Buffer): Buffer => execFileSync('sh', ['-c', ANSWER], { cwd: folder, input: query });
  return {
    caFile: join(folder, 'ca.pem'),
    command: ['sh', '-c', `cd "$0" && ${ANSWER}`, folder],
    serve: () => serve(answer),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function serve(answer: (query: Buffer) => Buffer): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (request.headers['content-type'] !== 'application/timestamp-query') return response.writeHead(415).end();
      return response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(answer(Buffer.concat(chunks)));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`, server });
    });
  });
}
