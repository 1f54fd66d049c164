/** What an archive says of itself: `manifest.json`, schema `snapproof.evidence-archive/v1`. */
import { FormatError } from '../../errors.js';
import type { LedgerHead } from '../../ledger/index.js';
import { problemsOf } from '../../schema/validate.js';

export interface ArchiveManifest {
  schema: 'snapproof.evidence-archive/v1';
  madeAt: string;
  /** Version of the snapproof that made it. */
  madeBy: string;
  /** By the time of storing; null: no bound. */
  selection: { from: string | null; to: string | null; machine: string | null };
  /** Of the whole ledger: `chain.jsonl` leads to it. */
  head: LedgerHead;
  documents: { seq: number; id: string; kind: string; sha256: string }[];
  /** Digests of artefacts that documents name and that were no longer there. */
  missingArtefacts: string[];
}

const instant = { type: ['string', 'null'] };
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' };

const SCHEMA = {
  type: 'object',
  required: ['schema', 'madeAt', 'madeBy', 'selection', 'head', 'documents', 'missingArtefacts'],
  properties: {
    schema: { const: 'snapproof.evidence-archive/v1' },
    madeAt: { type: 'string' },
    madeBy: { type: 'string' },
    selection: { type: 'object', required: ['from', 'to', 'machine'], properties: { from: instant, to: instant, machine: { type: ['string', 'null'] } } },
    head: {
      type: 'object',
      required: ['count', 'hash', 'recordId'],
      properties: { count: { type: 'integer', minimum: 0 }, hash, recordId: { type: 'string' } },
    },
    documents: {
      type: 'array',
      items: {
        type: 'object',
        required: ['seq', 'id', 'kind', 'sha256'],
        properties: { seq: { type: 'integer', minimum: 1 }, id: { type: 'string' }, kind: { type: 'string' }, sha256: hash },
      },
    },
    missingArtefacts: { type: 'array', items: hash },
  },
};

/** @throws FormatError */
export function readManifest(text: string): ArchiveManifest {
  const value = parsed(text);
  const [problem] = problemsOf(SCHEMA, value);
  if (problem) throw new FormatError({ code: 'archive.manifest', message: `its manifest.json is wrong: ${problem.message}` });
  return value as ArchiveManifest;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError({ code: 'archive.manifest', message: 'its manifest.json is no JSON' });
  }
}
