/** A real OpenLDAP server on an LMDB store, under load, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BASE = 'dc=example,dc=org';

/** Writes the settings and gives the arguments of slapd. The store lies in `folder`/store. */
export function directoryArguments(folder: string): { args: string[]; url: string } {
  mkdirSync(join(folder, 'store'), { recursive: true });
  const settings = [
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`),
    `pidfile ${folder}/pid`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'database mdb',
    'maxsize 1073741824',
    `suffix "${BASE}"`,
    `rootdn "cn=admin,${BASE}"`,
    'rootpw secret',
    `directory ${folder}/store`,
    'index objectClass eq',
    'index cn,sn,mail eq,sub',
    'index employeeNumber pres,eq',
  ];
  writeFileSync(join(folder, 'slapd.conf'), `${settings.join('\n')}\n`);
  const url = `ldapi://${encodeURIComponent(join(folder, 'socket'))}`;
  return { args: ['-f', join(folder, 'slapd.conf'), '-h', url, '-d', '0'], url };
}

/** The root of the directory, for slapadd or ldapadd. */
export const ROOT = `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n`;

/** Adds, changes and removes people without end; some have long values. */
export function changesOf(step: number): string {
  const name = (i: number) => `cn=person ${i},${BASE}`;
  const long = step % 11 === 0 ? `\ndescription: ${'d'.repeat(3000 + (step % 7) * 1500)}` : '';
  const person = `changetype: add\nobjectClass: inetOrgPerson\ncn: person ${step}\nsn: name ${step % 50}\nmail: p${step}@example.org\nemployeeNumber: ${step % 900}${long}`;
  const changes = [`dn: ${name(step)}\n${person}`];
  if (step > 20) changes.push(`dn: ${name(step - 20)}\nchangetype: modify\nreplace: mail\nmail: changed${step}@example.org`);
  if (step > 400 && step % 2 === 0) changes.push(`dn: ${name(step - 400)}\nchangetype: delete`);
  return `${changes.join('\n\n')}\n\n`;
}

export class DirectoryLoad {
  private readonly client: ChildProcess;
  private step = 1;

  constructor(url: string) {
    this.client = spawn('ldapmodify', ['-c', '-x', '-D', `cn=admin,${BASE}`, '-w', 'secret', '-H', url], { stdio: ['pipe', 'ignore', 'ignore'] });
    this.client.stdin?.on('error', () => undefined);
    this.client.stdin?.write(ROOT.replace('\n', '\nchangetype: add\n'));
    this.pump();
  }

  stop(): Promise<void> {
    if (this.client.exitCode !== null || this.client.signalCode !== null) return Promise.resolve();
    const ended = new Promise<void>((resolve) => this.client.once('exit', () => resolve()));
    this.client.kill('SIGKILL');
    return ended;
  }

  private pump(): void {
    const { stdin } = this.client;
    if (!stdin || stdin.destroyed) return;
    let room = true;
    for (let i = 0; i < 50 && room; i++) room = stdin.write(changesOf(this.step++));
    if (room) setImmediate(() => this.pump());
    else stdin.once('drain', () => this.pump());
  }
}
