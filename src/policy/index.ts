/** The policy of a run: defaults, then the policy file (YAML or JSON), then what the command line says. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { type ParsedText, parseText } from '../schema/document.js';
import { nearest } from '../schema/nearest.js';
import { problemsOf, validate } from '../schema/validate.js';
import type { Expectation, Policy } from '../types.js';
import schema from './policy.schema.json' with { type: 'json' };

export const policySchema: object = schema;

export const DEFAULT_POLICY: Policy = {
  depth: 'recovery',
  only: [],
  skip: [],
  engine: 'auto',
  allowedFolders: [],
  options: {},
  expect: [],
  services: [],
  limits: { overlayBytes: 20 * 2 ** 30, checkTimeoutMs: 15 * 60_000, applianceMemoryMiB: 1280 },
};

/** What of a check the policy is held against. */
export interface CheckOptions {
  id: string;
  optionsSchema: object;
}

export type PolicyOverrides = Partial<Omit<Policy, 'limits'>> & { limits?: Partial<Policy['limits']> };

/**
 * @param file policy file, or null for none; its `allowedFolders` are relative to it.
 * @param overrides what the command line says: wins over the file.
 * @param checks every check there is: ids and options are held against them.
 * @throws UsageError with file, line and field.
 */
export async function loadPolicy(file: string | null, overrides: PolicyOverrides, checks: readonly CheckOptions[]): Promise<Policy> {
  const text = file === null ? null : await readPolicyText(file);
  const stated = text === null || file === null ? {} : policyOf(text, file);
  return completePolicy([stated, overrides], checks, { file: file ?? 'the command line', text, at: [] });
}

/** Where a policy stands: `at` is the field of the document that holds it. */
export interface PolicyPlace {
  file: string;
  text: ParsedText | null;
  at: (string | number)[];
}

/**
 * Defaults and all that is stated, the later over the earlier, held against the checks there are.
 * @throws UsageError with file, line and field.
 */
export function completePolicy(stated: PolicyOverrides[], checks: readonly CheckOptions[], context: PolicyPlace): Policy {
  const policy: Policy = Object.assign({}, DEFAULT_POLICY, ...stated, {
    limits: Object.assign({}, DEFAULT_POLICY.limits, ...stated.map(({ limits }) => limits)),
    options: Object.assign({}, ...stated.map(({ options }) => options)),
  });
  assertNames(policy, checks, context);
  assertOptions(policy, checks, context);
  assertExpectations(policy, context);
  assertServices(policy, context);
  return policy;
}

type Context = PolicyPlace;

async function readPolicyText(file: string): Promise<ParsedText> {
  return parsePolicyText(await readPolicyFile(file), file);
}

/** @throws UsageError when it is neither YAML nor JSON. */
export function parsePolicyText(text: string, file: string): ParsedText {
  return parseText(text, file.endsWith('.json') ? 'json' : 'yaml', file);
}

/** @throws UsageError when the file cannot be read. */
export async function readPolicyFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = { ENOENT: 'does not exist', EACCES: 'may not be read', EISDIR: 'is a folder' }[cause.code ?? ''] ?? `cannot be read: ${cause.message}`;
    throw new UsageError({ code: 'policy.unreadable', message: `the policy file ${file} ${why}`, cause });
  });
}

function policyOf(text: ParsedText, file: string): PolicyOverrides {
  if (text.value === null) return {};
  validate(schema, text, { file, code: 'policy.invalid' });
  const stated = text.value as PolicyOverrides;
  if (!stated.allowedFolders) return stated;
  return { ...stated, allowedFolders: stated.allowedFolders.map((folder) => resolve(dirname(file), folder)) };
}

/** `only` and `skip` name a check (`postgresql/pages`) or a family (`postgresql`). */
function assertNames(policy: Policy, checks: readonly CheckOptions[], context: Context): void {
  const ids = checks.map((check) => check.id);
  const names = [...new Set([...ids, ...ids.map((id) => id.split('/')[0] ?? id)])];
  for (const field of ['only', 'skip'] as const) {
    policy[field].forEach((name, index) => {
      if (!names.includes(name)) throw unknownCheck(name, names, [field, index], context);
    });
  }
  for (const id of Object.keys(policy.options)) if (!ids.includes(id)) throw unknownCheck(id, ids, ['options', id], context);
}

function assertOptions(policy: Policy, checks: readonly CheckOptions[], context: Context): void {
  for (const { id, optionsSchema } of checks) {
    const options = policy.options[id];
    const [problem] = options ? problemsOf(optionsSchema, options) : [];
    if (!problem) continue;
    throw new UsageError({ code: 'policy.options', message: `${place(context, ['options', id, ...problem.path])}: options of ${id}: ${problem.message}` });
  }
}

/** What the schema cannot say in words that help. */
function assertExpectations(policy: Policy, context: Context): void {
  policy.expect.forEach((expectation, index) => {
    const problem = problemOf(expectation);
    if (problem) throw new UsageError({ code: 'policy.expect', message: `${place(context, ['expect', index])}: expectation ${index + 1}: ${problem}` });
  });
}

/** What is asked at an address that is none, or at no port, would never answer: that is a mistake in the policy and not of the guest. */
function assertServices(policy: Policy, context: Context): void {
  policy.services.forEach(({ protocol, port, address }, index) => {
    const portless = port === undefined && (protocol === 'tcp' || protocol === 'tls');
    const wrong = address !== undefined && isIP(address) === 0;
    const problem = portless ? `a service of protocol "${protocol}" needs a port` : wrong ? `${JSON.stringify(address)} is no IP address` : null;
    if (problem) throw new UsageError({ code: 'policy.services', message: `${place(context, ['services', index])}: service ${index + 1}: ${problem}` });
  });
}

function problemOf(expectation: Expectation): string | null {
  if ('file' in expectation) return null;
  const { equals, atLeast, atMost, rows } = expectation;
  const ofValue = equals !== undefined || atLeast !== undefined || atMost !== undefined;
  if (!ofValue && rows === undefined) return 'it says nothing to hold the answer against: give equals, atLeast, atMost or rows';
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) return `atLeast (${atLeast}) is more than atMost (${atMost}): nothing can be both`;
  return ofValue && rows !== undefined && rows !== 1 ? 'equals, atLeast and atMost are about one value, so "rows" can only be 1 beside them' : null;
}

function unknownCheck(name: string, names: string[], path: (string | number)[], context: Context): UsageError {
  const guess = nearest(name, names);
  const meant = guess ? `did you mean "${guess}"?` : 'see "snapproof checks" for all of them.';
  return new UsageError({ code: 'policy.unknown-check', message: `${place(context, path)}: there is no check or family ${JSON.stringify(name)}; ${meant}` });
}

function place(context: Context, path: (string | number)[]): string {
  return context.text ? `${context.file}, line ${context.text.lineOf([...context.at, ...path])}` : context.file;
}
