/**
 * Sends one mail: SMTP (RFC 5321) with STARTTLS (RFC 3207) or TLS from the start (RFC 8314), AUTH PLAIN (RFC 4616), text in UTF-8.
 * Certificates are always verified; without the encryption that the policy asks for nothing is sent.
 */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { LabError } from '../../errors.js';

export interface Mail {
  server: string;
  port: number;
  security: 'starttls' | 'tls' | 'none';
  login: { user: string; password: string } | null;
  from: string;
  to: string[];
  subject: string;
  /** Lines ended by `\n`. */
  text: string;
}

export interface SmtpOptions {
  /** For the whole conversation. */
  timeoutMs: number;
  /** Further authorities, PEM; for servers with a certificate of their own. */
  ca?: string;
}

const MAX_REPLY_BYTES = 64 * 1024;

/** @throws LabError that says at which step it failed; passwords are in no message. */
export async function sendMail(mail: Mail, options: SmtpOptions): Promise<void> {
  const talk = await open(mail, options);
  const timer = setTimeout(() => talk.fail(new Error(`it took more than ${options.timeoutMs / 1000} s`)), options.timeoutMs);
  try {
    await converse(talk, mail, options);
  } catch (cause) {
    throw new LabError({ code: 'drill-tell.mail', message: cause instanceof Error ? cause.message : String(cause), cause });
  } finally {
    clearTimeout(timer);
    talk.close();
  }
}

async function converse(talk: Conversation, mail: Mail, options: SmtpOptions): Promise<void> {
  await talk.expect('220', 'the greeting');
  let offers = await talk.ask(`EHLO ${ownName()}`, '250', 'EHLO');
  if (mail.security === 'starttls') {
    if (!/^250[ -]STARTTLS\s*$/im.test(offers)) throw new Error('the server offers no STARTTLS, and without it nothing is sent');
    await talk.ask('STARTTLS', '220', 'STARTTLS');
    await talk.encrypt(mail.server, options.ca);
    offers = await talk.ask(`EHLO ${ownName()}`, '250', 'EHLO');
  }
  if (mail.login) await logIn(talk, mail.login, offers);
  await talk.ask(`MAIL FROM:<${mail.from}>`, '250', 'the sender');
  for (const to of mail.to) await talk.ask(`RCPT TO:<${to}>`, '25', `the recipient ${to}`);
  await talk.ask('DATA', '354', 'DATA');
  await talk.ask(`${message(mail)}\r\n.`, '250', 'the message');
  talk.say('QUIT');
}

async function logIn(talk: Conversation, { user, password }: { user: string; password: string }, offers: string): Promise<void> {
  if (!/^250[ -]AUTH\b.*\bPLAIN\b/im.test(offers)) throw new Error('the server offers no log-in by AUTH PLAIN');
  const token = Buffer.from(`\0${user}\0${password}`, 'utf8').toString('base64');
  await talk.ask(`AUTH PLAIN ${token}`, '235', 'the log-in');
}

/** Headers (RFC 5322) and a body in base64: no line can begin with a dot, none is too long. */
function message({ from, to, subject, text }: Mail): string {
  const body =
    Buffer.from(text, 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [
    `From: snapproof <${from}>`,
    `To: ${to.map((address) => `<${address}>`).join(',\r\n ')}`,
    `Subject: ${encodedWords(subject)}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${randomBytes(12).toString('hex')}@${ownName().replace(/[[\]]/g, '')}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...body,
  ].join('\r\n');
}

/** RFC 2047: words of at most 75 characters, no character cut in two. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]{0,900}$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let chunk = '';
  for (const character of text.slice(0, 300)) {
    if (Buffer.byteLength(chunk + character) > 42) {
      words.push(chunk);
      chunk = '';
    }
    chunk += character;
  }
  return [...words, chunk].map((word) => `=?utf-8?B?${Buffer.from(word, 'utf8').toString('base64')}?=`).join('\r\n ');
}

function ownName(): string {
  const name = hostname();
  return /^[A-Za-z0-9.-]+$/.test(name) ? name : '[127.0.0.1]';
}

async function open({ server, port, security }: Mail, { ca, timeoutMs }: SmtpOptions): Promise<Conversation> {
  const host = server.replace(/^\[|\]$/g, '');
  const socket = security === 'tls' ? connectTls({ host, port, ...serverName(host), ...(ca ? { ca } : {}) }) : connectTcp({ host, port });
  socket.setTimeout(timeoutMs);
  await new Promise<void>((done, fail) => {
    socket.once(security === 'tls' ? 'secureConnect' : 'connect', done);
    socket.once('timeout', () => fail(new LabError({ code: 'drill-tell.mail', message: `${server} does not answer` })));
    socket.once('error', (error) => fail(new LabError({ code: 'drill-tell.mail', message: `${server} cannot be reached: ${error.message}` })));
  });
  return new Conversation(socket);
}

function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

class Conversation {
  private buffer = '';
  private waiting: { done: (reply: string) => void; fail: (error: Error) => void } | null = null;
  private broken: Error | null = null;

  constructor(private socket: Socket) {
    this.listen();
  }

  say(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  ask(line: string, code: string, what: string): Promise<string> {
    this.say(line);
    return this.expect(code, what);
  }

  async expect(code: string, what: string): Promise<string> {
    const reply = await this.reply();
    if (reply.startsWith(code)) return reply;
    throw new Error(`the server refused ${what}: ${reply.trim().replace(/\s+/g, ' ').slice(0, 200)}`);
  }

  /** What the server said before in the clear is no part of what it says now (RFC 3207, section 4.2). */
  async encrypt(server: string, ca: string | undefined): Promise<void> {
    this.socket.removeAllListeners();
    this.buffer = '';
    const host = server.replace(/^\[|\]$/g, '');
    const socket = connectTls({ socket: this.socket, host, ...serverName(host), ...(ca ? { ca } : {}) });
    await new Promise<void>((done, fail) => {
      socket.once('secureConnect', done);
      socket.once('error', (error) => fail(new Error(`the connection cannot be encrypted: ${error.message}`)));
    });
    this.socket = socket;
    this.listen();
  }

  fail(error: Error): void {
    this.broken ??= error;
    this.waiting?.fail(this.broken);
    this.waiting = null;
  }

  close(): void {
    this.socket.on('error', () => undefined);
    this.socket.end();
    setTimeout(() => this.socket.destroy(), 500).unref();
  }

  private listen(): void {
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text: string) => {
      this.buffer += text;
      if (this.buffer.length > MAX_REPLY_BYTES) this.fail(new Error('the server talks too much'));
      this.deliver();
    });
    this.socket.on('error', (error) => this.fail(new Error(`the connection broke: ${error.message}`)));
    this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
    this.socket.on('timeout', () => this.fail(new Error('the server does not answer')));
  }

  private reply(): Promise<string> {
    return new Promise((done, fail) => {
      if (this.broken) return fail(this.broken);
      this.waiting = { done, fail };
      this.deliver();
    });
  }

  /** A reply ends with the line that has a space after its code. */
  private deliver(): void {
    const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(this.buffer);
    if (!match || !this.waiting) return;
    const { done } = this.waiting;
    this.waiting = null;
    this.buffer = this.buffer.slice(match[0].length);
    done(match[0]);
  }
}
