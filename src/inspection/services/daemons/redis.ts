/** redis.conf ("Configuration" of its documentation): words at blanks; the last value counts; port 0 is none. */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { addressOf, atEach, type Daemon } from '../offer.js';
import { wordsOf } from '../text.js';

const FOLDERS = ['/etc/redis', '/etc', '/etc/valkey', '/etc/redis6'];

export const redis: Daemon = {
  units: /^(redis|redis-server|valkey|valkey-server|redis6)(@.+)?$/,
  async offers(reader, unit) {
    const instance = /@(.+)$/.exec(unit)?.[1];
    const names = instance ? [`redis-${instance}`, instance, `redis-server-${instance}`] : ['redis', 'redis-server', 'valkey', 'redis6'];
    const found = await reader.first(names.flatMap((name) => FOLDERS.map((folder) => `${folder}/${name}.conf`)));
    if (!found) return [];
    const lines = await linesWithIncludes(reader, found.path, (line) => {
      const [key = '', value = ''] = wordsOf(line);
      return key.toLowerCase() === 'include' ? [posix.resolve('/etc', value)] : null;
    });
    const settings = new Map(lines.map(({ line }) => wordsOf(line)).map(([key = '', ...values]) => [key.toLowerCase(), values]));
    const bound = (settings.get('bind') ?? ['*']).map((text) => addressOf(text.replace(/^-/, '')));
    const at = (name: string, missing: number) => Number(settings.get(name)?.[0] ?? missing);
    return [...atEach('redis', at('port', 6379), bound, found.path), ...atEach('tls', at('tls-port', 0), bound, found.path)];
  },
};
