/** Apache's settings ("Binding to Addresses and Ports"): `Listen`, includes, and blocks that count only with a module. */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { type Daemon, endpointOf, type Offer } from '../offer.js';
import type { GuestReader } from '../reader.js';
import { wordsOf } from '../text.js';

const MAINS = [
  { path: '/etc/apache2/apache2.conf', root: '/etc/apache2' },
  { path: '/etc/httpd/conf/httpd.conf', root: '/etc/httpd' },
  { path: '/etc/apache2/httpd.conf', root: '/etc/apache2' },
];
interface Found {
  modules: Set<string>;
  listens: { text: string; protocol: string | null; from: string }[];
  /** Ports of virtual hosts that are encrypted. */
  encrypted: Set<number>;
}

/** A block around a line: whether what is in it counts, and the ports that it is for. */
interface Block {
  counts: boolean;
  ports: number[];
}

export const apache: Daemon = {
  units: /^(apache2|httpd)(@.*)?$/,
  async offers(reader) {
    const path = (await reader.first(MAINS.map((main) => main.path)))?.path;
    const main = MAINS.find((candidate) => candidate.path === path);
    if (!main) return [];
    const found: Found = { modules: new Set(), listens: [], encrypted: new Set() };
    const blocks: Block[] = [];
    for (const { line, path: from } of await linesWithIncludes(reader, main.path, (text) => included(reader, main.root, text))) note(line, from, blocks, found);
    return found.listens.map((listen) => offerOf(listen, found.encrypted));
  },
};

function offerOf({ text, protocol, from }: Found['listens'][0], encrypted: Set<number>): Offer {
  const endpoint = endpointOf(text, 80);
  const secure = protocol ? protocol === 'https' : endpoint.port === 443 || encrypted.has(endpoint.port);
  return { protocol: secure ? 'https' : 'http', ...endpoint, from };
}

/** A folder means all files in it. */
async function included(reader: GuestReader, root: string, line: string): Promise<string[] | null> {
  const [word = '', pattern = ''] = wordsOf(line);
  if (!/^include(optional)?$/i.test(word)) return null;
  const target = posix.resolve(root, pattern);
  return (await reader.names(target)).length > 0 ? [`${target}/*`] : [target];
}

function note(line: string, from: string, blocks: Block[], found: Found): void {
  const [name = '', ...values] = wordsOf(line.replace(/^<(.*)>$/, '<$1'));
  const [first = '', second] = values;
  const word = name.toLowerCase();
  if (word.startsWith('</')) blocks.pop();
  else if (word.startsWith('<')) blocks.push({ counts: counts(found.modules, word, first), ports: word === '<virtualhost' ? values.map(portOf) : [] });
  else if (blocks.some((block) => !block.counts)) return;
  else if (word === 'loadmodule') found.modules.add(first.toLowerCase());
  else if (word === 'listen') found.listens.push({ text: first, protocol: second?.toLowerCase() ?? null, from });
  else if (word === 'sslengine' && /^on$/i.test(first)) for (const port of blocks.flatMap(({ ports }) => ports)) found.encrypted.add(port);
}

/** What is defined on the command line is not; other conditions hold. */
function counts(modules: Set<string>, word: string, value: string): boolean {
  const negated = value.startsWith('!');
  if (word === '<ifdefine') return negated;
  if (word !== '<ifmodule') return true;
  const wanted = value
    .replace(/^!/, '')
    .toLowerCase()
    .replace(/^mod_(.*)\.c$/, '$1_module');
  return modules.has(wanted) !== negated;
}

function portOf(text: string): number {
  return endpointOf(text, 0).port;
}
