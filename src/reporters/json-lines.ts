/** JSON Lines: each document of the ledger in its canonical form (RFC 8785) on a line of its own, so that the SHA-256 of a line, without its line feed, is the digest that the chain holds. */
import { canonicalJson } from '../ledger/canonical.js';
import type { Dossier } from './dossier.js';

/** The document itself first, then the records of a drill, then sign-offs. */
export function renderJsonLines(dossier: Dossier): string {
  const documents =
    dossier.kind === 'drill'
      ? [dossier.drill, ...[...dossier.records.values()].map(({ document }) => document), ...dossier.signOffs]
      : [dossier.document, ...dossier.signOffs];
  return documents.map((document) => `${canonicalJson(document)}\n`).join('');
}
