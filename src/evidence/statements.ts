/**
 * What is signed of a document: in-toto Statements (https://in-toto.io/Statement/v1).
 * - `record`, of every document: its place in the chain, so that one signature vouches for all entries before it too.
 * - `test-result`, of records that passed or failed (https://in-toto.io/attestation/test-result/v0.1). It knows no "inconclusive", so of
 *   such records there is none: what was not proven must not read as PASSED, nor as WARNED.
 */
import type { LedgerDocument } from '../documents.js';
import { canonicalJson, isKind, type LedgerEntry } from '../ledger/index.js';
import type { CheckResult, VerificationRecord } from '../types.js';

export type StatementName = 'record' | 'test-result';

export interface Statement {
  _type: 'https://in-toto.io/Statement/v1';
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: string;
  predicate: Record<string, unknown>;
}

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPES: Record<StatementName, string> = {
  record: 'urn:snapproof:record:v1',
  'test-result': 'https://in-toto.io/attestation/test-result/v0.1',
};

/** All statements about a document, by name. */
export function statementsOf(document: LedgerDocument, entry: LedgerEntry): { name: StatementName; statement: Statement }[] {
  const own = { name: 'record' as const, statement: recordStatement(document, entry) };
  const result = isKind(document, 'record') ? testResult(document, entry) : null;
  return result === null ? [own] : [own, { name: 'test-result', statement: result }];
}

/** Bytes that are signed; canonical, so that they can be made again. */
export function payloadOf(statement: Statement): Buffer {
  return Buffer.from(canonicalJson(statement));
}

function recordStatement(document: LedgerDocument, entry: LedgerEntry): Statement {
  const { seq, recordId, recordSha256, previousHash, previousRecordId, appendedAt, entryHash } = entry;
  const place = { seq, recordId, recordSha256, previousHash, previousRecordId, appendedAt, entryHash };
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: recordId, digest: { sha256: recordSha256 } }],
    predicateType: PREDICATE_TYPES.record,
    predicate: { ...place, schema: document.schema, verdict: verdictOf(document) },
  };
}

/** Of sign-offs, keys and time stamps null. */
function verdictOf(document: LedgerDocument): string | null {
  return 'verdict' in document ? document.verdict : null;
}

/** Null when there is nothing that such a statement could truly say. */
function testResult(record: VerificationRecord, { recordSha256 }: LedgerEntry): Statement | null {
  const { verdict, policy, id } = record;
  const { files } = record.restorePoint;
  if (verdict === 'inconclusive' || files.length === 0) return null;
  return {
    _type: STATEMENT_TYPE,
    subject: files.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    predicateType: PREDICATE_TYPES['test-result'],
    predicate: {
      result: verdict === 'passed' ? 'PASSED' : 'FAILED',
      // Records of the first version may lack it.
      configuration: policy ? [{ name: 'policy', digest: { sha256: policy.sha256 } }] : [],
      url: recordUrn(recordSha256),
      recordId: id,
      ...testNames(record.checks),
    },
  };
}

function testNames(checks: CheckResult[]): { passedTests: string[]; warnedTests: string[]; failedTests: string[] } {
  const names = (belongs: (check: CheckResult) => boolean): string[] => checks.filter(belongs).map(({ id, target }) => (target ? `${id} (${target})` : id));
  return {
    passedTests: names((check) => check.outcome === 'pass' && !hasWarning(check)),
    warnedTests: names((check) => check.outcome === 'pass' && hasWarning(check)),
    failedTests: names(({ outcome }) => outcome === 'fail'),
  };
}

function hasWarning({ findings }: CheckResult): boolean {
  return findings.some(({ severity }) => severity !== 'info');
}

/** Why a payload, whose signature is good, does not say what is true of the document; null when it does. Other fields are left alone. */
export function objectionTo(payload: Buffer, name: string, document: unknown, entry: LedgerEntry): string | null {
  const expected = expectedOf(document, name, entry);
  if (!expected) return `there must be no statement "${name}" about it`;
  return payload.equals(expected.payload) ? null : difference(parsed(payload), expected.statement, name);
}

/** Null for a document that does not have the shape of its kind: whoever verifies may get anything. */
function expectedOf(document: unknown, name: string, entry: LedgerEntry): { statement: Statement; payload: Buffer } | null {
  try {
    const statement = statementsOf(document as LedgerDocument, entry).find((one) => one.name === name)?.statement;
    return statement ? { statement, payload: payloadOf(statement) } : null;
  } catch {
    return null;
  }
}

/** An older or newer snapproof may say more about the same: only what binds the statement to the document is compared. */
function difference(said: Record<string, unknown> | null, expected: Statement, name: string): string | null {
  const parts: (keyof Statement)[] = ['_type', 'predicateType', 'subject'];
  const wrong = parts.find((part) => !same(said?.[part], expected[part]));
  if (wrong) return `its statement has another ${wrong}`;
  const bound = name === 'record' ? Object.keys(expected.predicate) : ['result', 'url', 'recordId'];
  const wrongField = bound.find((field) => !same((said?.predicate as Record<string, unknown> | undefined)?.[field], expected.predicate[field]));
  return wrongField ? `its statement has another ${wrongField}` : null;
}

function parsed(payload: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The value is parsed JSON, so it has a canonical form unless it is absurd. */
function same(value: unknown, expected: unknown): boolean {
  try {
    return value !== undefined && canonicalJson(value) === canonicalJson(expected);
  } catch {
    return false;
  }
}

function recordUrn(recordSha256: string): string {
  return `urn:snapproof:record:${recordSha256}`;
}
