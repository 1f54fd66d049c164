/** Tells the outcome of a drill. That somebody could not be told never changes the verdict; it is said and recorded. */
import type { DrillDocument, DrillVerdict } from '../../documents.js';
import { EXIT, type ExitCode, SnapproofError } from '../../errors.js';
import type { HttpTell, MailTell, TellRule } from '../policy/types.js';
import { type HttpMessage, PATIENCE, type Patience, post } from './http.js';
import { readSecret } from './secrets.js';
import { sendMail } from './smtp.js';
import { bodyOf, printable, subjectOf } from './text.js';

export type Told = DrillDocument['told'][number];

export interface TellContext {
  env: NodeJS.ProcessEnv;
  patience?: Patience;
  /** Further authorities for mail servers, PEM. */
  ca?: string;
}

export const EXIT_OF: Record<DrillVerdict, ExitCode> = { passed: EXIT.passed, failed: EXIT.failed, void: EXIT.failed, inconclusive: EXIT.inconclusive };

/** @param previous verdict of the last drill of this name; null: the first. */
export async function tellOutcome(rules: TellRule[], drill: DrillDocument, previous: DrillVerdict | null, context: TellContext): Promise<Told[]> {
  const wanted = rules.filter(({ onlyChanges }) => !onlyChanges || previous !== drill.verdict);
  return Promise.all(
    wanted.map((rule) =>
      told(rule, async () => {
        if (rule.channel === 'mail') return mail(rule, subjectOf(drill), bodyOf(drill), context);
        if (rule.channel === 'webhook') return http(rule, rule.url, 'application/json', JSON.stringify(drill), context);
        return http(rule, pingUrl(rule.url, EXIT_OF[drill.verdict]), 'text/plain; charset=utf-8', bodyOf(drill), context);
      }),
    ),
  );
}

/** Pings alone: a drill that never comes to its end is then missed. */
export function tellStart(rules: TellRule[], context: TellContext): Promise<Told[]> {
  const pings = rules.filter((rule): rule is HttpTell => rule.channel === 'ping');
  return Promise.all(pings.map((rule) => told(rule, () => http(rule, pingUrl(rule.url, 'start'), 'text/plain; charset=utf-8', '', context))));
}

/** The drill itself came to no result. */
export function tellTrouble(rules: TellRule[], name: string, why: string, context: TellContext): Promise<Told[]> {
  const text = printable(`Drill ${name} came to no result: ${why}`);
  return Promise.all(
    rules.map((rule) =>
      told(rule, async () => {
        if (rule.channel === 'mail') return mail(rule, printable(`snapproof TROUBLE: ${name}`), `${text}\n`, context);
        if (rule.channel === 'ping') return http(rule, pingUrl(rule.url, 'fail'), 'text/plain; charset=utf-8', text, context);
        return http(rule, rule.url, 'application/json', JSON.stringify({ schema: 'snapproof.drill-trouble/v1', name, why }), context);
      }),
    ),
  );
}

async function told(rule: TellRule, work: () => Promise<void>): Promise<Told> {
  const at = { channel: rule.channel, target: targetOf(rule) };
  try {
    await work();
    return { ...at, ok: true, why: '' };
  } catch (error) {
    if (!(error instanceof SnapproofError)) throw error;
    return { ...at, ok: false, why: error.message };
  }
}

/** Never a path: those of pings and web hooks are secrets. */
function targetOf(rule: TellRule): string {
  return rule.channel === 'mail' ? rule.to.join(', ') : new URL(rule.url).origin;
}

/** `/start`, `/fail`, or an exit code, of which 0 is the address itself: so other services understand it too. */
export function pingUrl(base: string, what: 'start' | 'fail' | number): string {
  const url = new URL(base);
  if (what !== 0) url.pathname = `${url.pathname.replace(/\/+$/, '')}/${what}`;
  return url.href;
}

async function http({ headers }: HttpTell, url: string, contentType: string, body: string, { env, patience }: TellContext): Promise<void> {
  const secrets: HttpMessage['headers'] = {};
  for (const [name, source] of Object.entries(headers)) secrets[name] = await readSecret(source, env);
  await post({ url, headers: secrets, contentType, body }, patience ?? PATIENCE);
}

async function mail(rule: MailTell, subject: string, text: string, { env, ca }: TellContext): Promise<void> {
  const { server, port, security, from, to, user, password } = rule;
  const login = user !== null && password !== null ? { user, password: await readSecret(password, env) } : null;
  await sendMail({ server, port, security, login, from, to, subject, text }, { timeoutMs: 60_000, ...(ca ? { ca } : {}) });
}
