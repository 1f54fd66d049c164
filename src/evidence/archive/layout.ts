/** What lies where in an archive of evidence. All names are short, plain and known: nothing else is taken from an archive. */
import { FormatError } from '../../errors.js';

export const ROOT = 'snapproof-evidence/';
export const GUIDE = 'VERIFY.md';
export const MANIFEST = 'manifest.json';
export const CHAIN = 'chain.jsonl';
/** Digests of all files besides itself and its seal. */
export const SUMS = 'SHA256SUMS';
export const SEAL = 'SHA256SUMS.dsse.json';

export const documentName = (seq: number): string => `documents/${number(seq)}.json`;
export const envelopeName = (seq: number, statement: string, keyId: string): string => `envelopes/${number(seq)}.${statement}.${keyId.slice(0, 16)}.json`;
export const timestampName = (seq: number): string => `timestamps/${number(seq)}.tst`;
export const keyName = (keyId: string): string => `keys/${keyId}.pem`;
export const artefactName = (sha256: string): string => `artefacts/${sha256}`;

const number = (seq: number): string => String(seq).padStart(9, '0');

const KB = 1024;
const MB = 1024 * KB;

export type Place =
  | { kind: 'guide' | 'manifest' | 'chain' | 'sums' | 'seal' }
  | { kind: 'schema' }
  | { kind: 'key'; keyId: string }
  | { kind: 'document' | 'timestamp'; seq: number }
  | { kind: 'envelope'; seq: number; statement: string; keyStart: string }
  | { kind: 'artefact'; sha256: string };

/** Most bytes of each kind of file: an archive cannot fill the memory of whoever verifies it. */
const LARGEST: Record<Place['kind'], number> = {
  guide: MB,
  manifest: 256 * MB,
  chain: 4096 * MB,
  sums: 512 * MB,
  seal: MB,
  schema: MB,
  key: 16 * KB,
  document: 64 * MB,
  timestamp: MB,
  envelope: 16 * MB,
  artefact: 4096 * MB,
};

const FIXED: Record<string, Place> = {
  [GUIDE]: { kind: 'guide' },
  [MANIFEST]: { kind: 'manifest' },
  [CHAIN]: { kind: 'chain' },
  [SUMS]: { kind: 'sums' },
  [SEAL]: { kind: 'seal' },
};

const PATTERNS: [RegExp, (groups: string[]) => Place][] = [
  [/^schemas\/[a-z-]{1,30}\.schema\.json$/, () => ({ kind: 'schema' })],
  [/^keys\/([0-9a-f]{64})\.pem$/, ([keyId = '']) => ({ kind: 'key', keyId })],
  [/^documents\/(\d{9,15})\.json$/, ([seq]) => ({ kind: 'document', seq: Number(seq) })],
  [/^timestamps\/(\d{9,15})\.tst$/, ([seq]) => ({ kind: 'timestamp', seq: Number(seq) })],
  [
    /^envelopes\/(\d{9,15})\.([a-z-]{1,20})\.([0-9a-f]{16})\.json$/,
    ([seq, statement = '', keyStart = '']) => ({ kind: 'envelope', seq: Number(seq), statement, keyStart }),
  ],
  [/^artefacts\/([0-9a-f]{64})$/, ([sha256 = '']) => ({ kind: 'artefact', sha256 })],
];

/** @throws FormatError for a name that no archive has, or a size that none needs */
export function placeOf(name: string, sizeBytes: number): Place {
  const place = name.startsWith(ROOT) ? match(name.slice(ROOT.length)) : null;
  if (place === null) throw new FormatError({ code: 'archive.name', message: `it holds a file that snapproof does not write (${JSON.stringify(name)})` });
  const most = LARGEST[place.kind];
  if (sizeBytes <= most) return place;
  throw new FormatError({ code: 'archive.size', message: `its file ${name} has ${sizeBytes} bytes; at most ${most} are taken` });
}

function match(name: string): Place | null {
  if (Object.hasOwn(FIXED, name)) return FIXED[name] ?? null;
  for (const [pattern, make] of PATTERNS) {
    const found = pattern.exec(name);
    if (found) return make(found.slice(1));
  }
  return null;
}
