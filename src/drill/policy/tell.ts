/** Who is told, as the policy states it. Only where a secret is stands there, never the secret. */
import { dirname, resolve } from 'node:path';
import { onlyOne, type Place, wrong } from './place.js';
import type { SecretSource, TellRule } from './types.js';

export interface StatedTell {
  webhook?: string;
  ping?: string;
  mail?: { to: string[]; from: string; server: string; port?: number; security?: 'starttls' | 'tls' | 'none'; user?: string; password?: SecretSource };
  headers?: Record<string, SecretSource>;
  onlyChanges?: boolean;
}

const PORTS = { starttls: 587, tls: 465, none: 25 } as const;

/** @throws UsageError with file, line and field. */
export function tellRule(stated: StatedTell, index: number, place: Place): TellRule {
  const channel = onlyOne(stated, ['webhook', 'ping', 'mail'], ['tell', index], place);
  const onlyChanges = stated.onlyChanges ?? false;
  if (channel === 'ping' && onlyChanges)
    throw wrong(place, ['tell', index, 'onlyChanges'], 'a ping that does not come is an alarm: it cannot have "onlyChanges"');
  if (channel !== 'mail') {
    const headers = Object.entries(stated.headers ?? {}).map(([name, secret]) => [name, absolute(secret, place)] as const);
    return { channel, url: usable(stated[channel] ?? '', ['tell', index, channel], place), headers: Object.fromEntries(headers), onlyChanges };
  }
  if (stated.headers) throw wrong(place, ['tell', index, 'headers'], '"headers" belongs to webhook and ping');
  return { ...mailRule(stated.mail as NonNullable<StatedTell['mail']>, index, place), onlyChanges };
}

function mailRule(mail: NonNullable<StatedTell['mail']>, index: number, place: Place): Omit<Extract<TellRule, { channel: 'mail' }>, 'onlyChanges'> {
  const security = mail.security ?? 'starttls';
  const { to, from, server, user, password } = mail;
  if ((user === undefined) !== (password === undefined)) throw wrong(place, ['tell', index, 'mail'], '"user" and "password" go together');
  if (user !== undefined && security === 'none') throw wrong(place, ['tell', index, 'mail', 'security'], 'a password is never sent without encryption');
  return {
    channel: 'mail',
    ...{ to, from, server, security },
    port: mail.port ?? PORTS[security],
    user: user ?? null,
    password: password ? absolute(password, place) : null,
  };
}

function usable(url: string, at: (string | number)[], place: Place): string {
  if (URL.canParse(url)) return url;
  throw wrong(place, at, `${JSON.stringify(url)} is no URL`);
}

function absolute(secret: SecretSource, place: Place): SecretSource {
  return 'file' in secret ? { file: resolve(dirname(place.file), secret.file) } : secret;
}
