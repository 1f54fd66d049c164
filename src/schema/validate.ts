/** Checks a value against a JSON Schema and says in plain words what is wrong, on which line, and what is allowed. */
import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import { UsageError } from '../errors.js';
import type { ParsedText } from './document.js';
import { nearest } from './nearest.js';

const MAX_MESSAGES = 10;

// ajv-formats is CommonJS: its function is the default of the default.
const addFormats = formats as unknown as typeof formats.default;

/** @throws UsageError that lists every problem. `file` and `code` are for the message. */
export function validate(schema: object, text: ParsedText, context: { file: string; code: string }): void {
  const problems = problemsOf(schema, text.value).map(({ path, message }) => `line ${text.lineOf(path)}: ${message}`);
  if (problems.length === 0) return;
  const shown = problems.slice(0, MAX_MESSAGES);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  throw new UsageError({ code: context.code, message: `${context.file}: ${shown.join('; ')}` });
}

/** Every problem with its place; empty when the value keeps the schema. */
export function problemsOf(schema: object, value: unknown): { path: (string | number)[]; message: string }[] {
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true });
  addFormats(ajv);
  const check = ajv.compile(schema);
  if (check(value)) return [];
  return (check.errors ?? []).filter((error) => !['anyOf', 'oneOf', 'if'].includes(error.keyword)).map((error) => describe(error));
}

function describe(error: ErrorObject): { path: (string | number)[]; message: string } {
  const path = error.instancePath.split('/').slice(1).map(decodePointer);
  const where = path.length > 0 ? `field "${path.join('.')}"` : 'the document';
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknown = String(params.additionalProperty);
      return { path: [...path, unknown], message: unknownField(unknown, path, Object.keys((error.parentSchema?.properties as object) ?? {})) };
    }
    case 'required':
      return { path, message: `${where} lacks the field "${params.missingProperty}"` };
    case 'enum':
      return {
        path,
        message: `${where} is ${show(error.data)}; allowed are ${(params.allowedValues as unknown[]).map(show).join(', ')}${hint(error.data, params.allowedValues)}`,
      };
    case 'const':
      return { path, message: `${where} is ${show(error.data)}; it must be ${show(params.allowedValue)}` };
    case 'type':
      return { path, message: `${where} is ${show(error.data)}; it must be of type ${[params.type].flat().join(' or ')}` };
    default:
      return { path, message: `${where} is ${show(error.data)}; it ${error.message}` };
  }
}

function unknownField(name: string, path: (string | number)[], allowed: string[]): string {
  const guess = nearest(name, allowed);
  const place = path.length > 0 ? ` in "${path.join('.')}"` : '';
  const list = allowed.length > 0 ? `; allowed are ${allowed.join(', ')}` : '; none is allowed here';
  return `unknown field ${show(name)}${place}${guess ? ` (did you mean "${guess}"?)` : ''}${list}`;
}

function hint(value: unknown, allowed: unknown): string {
  const guess = typeof value === 'string' && Array.isArray(allowed) ? nearest(value, allowed.map(String)) : null;
  return guess ? ` (did you mean "${guess}"?)` : '';
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function decodePointer(part: string): string | number {
  const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(text) ? Number(text) : text;
}
