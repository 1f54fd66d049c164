/** nginx.conf ("Configuration File's Structure", ngx_http_core_module, `listen`): words, `;` at the end, braces around blocks. */
import { posix } from 'node:path';
import { type Daemon, endpointOf, type Offer } from '../offer.js';
import type { GuestReader } from '../reader.js';

const PATH = '/etc/nginx/nginx.conf';
const MAX_DEPTH = 5;
const MAX_DIRECTIVES = 20_000;
const MAX_INCLUDES = 500;

export const nginx: Daemon = {
  units: /^(nginx|openresty)$/,
  async offers(reader) {
    const walk: Walk = { reader, directives: 0, includes: 0, servers: [] };
    await read(walk, PATH, [], 0);
    return walk.servers.flatMap(offersOf);
  },
};

interface Server {
  kind: string;
  listens: string[][];
  ssl: boolean;
  from: string;
}

interface Walk {
  reader: GuestReader;
  directives: number;
  includes: number;
  servers: Server[];
}

function offersOf({ kind, listens, ssl, from }: Server): Offer[] {
  const all = listens.length > 0 || kind !== 'http' ? listens : [['80']];
  return all.flatMap(([where = '', ...flags]) => {
    if (where.startsWith('unix:') || flags.includes('udp')) return [];
    const encrypted = ssl || flags.includes('ssl') || flags.includes('quic');
    const protocol = kind === 'http' ? (encrypted ? 'https' : 'http') : encrypted ? 'tls' : 'tcp';
    return flags.includes('quic') ? [] : [{ protocol, ...endpointOf(where, kind === 'http' ? 80 : 0), from }];
  });
}

/** @param blocks names of the blocks around, outermost first; includes go on in them */
async function read(walk: Walk, path: string, blocks: string[], depth: number): Promise<void> {
  const stack = [...blocks];
  for (const { words, end } of directives((await walk.reader.text(path)) ?? '')) {
    if (++walk.directives > MAX_DIRECTIVES) return;
    if (end === '}') stack.pop();
    else if (end === '{') open(walk, stack, words, path);
    else if (words[0] === 'include' && depth < MAX_DEPTH && ++walk.includes <= MAX_INCLUDES) {
      for (const file of await walk.reader.glob(posix.resolve('/etc/nginx', words[1] ?? ''))) await read(walk, file, stack, depth + 1);
    } else if (stack.at(-1) === 'server') note(walk.servers.at(-1), words);
  }
}

function open(walk: Walk, stack: string[], words: string[], path: string): void {
  if (words[0] === 'server' && words.length === 1) walk.servers.push({ kind: stack[0] ?? '', listens: [], ssl: false, from: path });
  stack.push(words[0] ?? '');
}

function note(server: Server | undefined, [name, ...values]: string[]): void {
  if (name === 'listen') server?.listens.push(values);
  if (name === 'ssl' && values[0] === 'on' && server) server.ssl = true;
}

/** Words up to each `;`, `{` and `}`. */
function* directives(text: string): Iterable<{ words: string[]; end: string }> {
  const pattern = /#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([;{}])|([^\s;{}"'#][^\s;{}]*)/g;
  let words: string[] = [];
  for (const match of text.matchAll(pattern)) {
    const word = match[1] ?? match[2] ?? match[4];
    if (word !== undefined) words.push(word);
    if (match[3] === undefined) continue;
    yield { words, end: match[3] };
    words = [];
  }
}
