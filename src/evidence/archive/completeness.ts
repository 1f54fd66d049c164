/** Whether an archive holds what it says, no more and no less. Pure. One sentence for each difference. */
import type { LedgerHead } from '../../ledger/index.js';
import type { FoundDocument } from './documents.js';
import { MANIFEST } from './layout.js';
import type { ArchiveManifest } from './manifest.js';

/** Files beside the documents, and what documents say of them: keys by id, tokens (base64) by entry. */
export interface Contents {
  keys: Map<string, string>;
  tokens: Map<number, string>;
  artefacts: Set<string>;
}

export function* completenessProblems(
  manifest: ArchiveManifest | null,
  head: LedgerHead,
  found: FoundDocument[],
  named: Contents,
  held: Contents,
): Generator<string> {
  yield* unlike('key', named.keys, held.keys);
  yield* unlike('time stamp of entry', named.tokens, held.tokens);
  if (!manifest) return yield `${MANIFEST} is missing.`;
  const { count, hash, recordId } = manifest.head;
  if (count !== head.count || hash !== head.hash || recordId !== head.recordId) yield `${MANIFEST} names another head than the chain has.`;
  yield* unlike('document of entry', new Map(manifest.documents.map((one) => [one.seq, textOf(one)])), new Map(found.map((one) => [one.seq, textOf(one)])));
  const missing = new Set(manifest.missingArtefacts);
  for (const sha256 of named.artefacts)
    if (!held.artefacts.has(sha256) && !missing.has(sha256)) yield `The artefact ${sha256}, which a record names, is missing.`;
  for (const sha256 of held.artefacts) if (!named.artefacts.has(sha256)) yield `No record names the artefact ${sha256}: it was put in.`;
}

function textOf({ seq, id, kind, sha256 }: FoundDocument): string {
  return JSON.stringify([seq, id, kind, sha256]);
}

function* unlike<K>(what: string, expected: Map<K, string>, held: Map<K, string>): Generator<string> {
  for (const [name, text] of expected) {
    if (!held.has(name)) yield `The ${what} ${name} is missing.`;
    else if (held.get(name) !== text) yield `The ${what} ${name} is not what the archive itself says of it.`;
  }
  for (const name of held.keys()) if (!expected.has(name)) yield `The ${what} ${name} was put in.`;
}
