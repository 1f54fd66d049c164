/** The few settings of redis.conf or valkey.conf that decide what a server loads. Only told and weighed: the command line may say otherwise. */
export interface RedisConfig {
  dir: string | null;
  appendonly: string | null;
  appendfilename: string | null;
  appenddirname: string | null;
  dbfilename: string | null;
  aofLoadTruncated: string | null;
}

const NAMES: Record<string, keyof RedisConfig> = {
  dir: 'dir',
  appendonly: 'appendonly',
  appendfilename: 'appendfilename',
  appenddirname: 'appenddirname',
  dbfilename: 'dbfilename',
  'aof-load-truncated': 'aofLoadTruncated',
};

/** Takes the last of each setting, as the server does. Never throws. */
export function parseConfig(text: string): RedisConfig {
  const config: RedisConfig = { dir: null, appendonly: null, appendfilename: null, appenddirname: null, dbfilename: null, aofLoadTruncated: null };
  for (const line of text.split('\n')) {
    const match = /^\s*([a-z-]+)\s+("([^"]*)"|'([^']*)'|(\S+))\s*$/i.exec(line);
    const name = match?.[1] ? NAMES[match[1].toLowerCase()] : undefined;
    if (match && name) config[name] = match[3] ?? match[4] ?? match[5] ?? null;
  }
  return config;
}
