/** The shipped JSON Schemas (2020-12) of what snapproof writes, and a validator for them. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
// Only so that the compiler puts the files beside this one: Node 20 warns when a program really imports JSON.
import type drillSchemaFile from './drill.schema.json';
import type keySchemaFile from './key.schema.json';
import { DOCUMENT_KINDS, type DocumentKind, kindOf, schemaOf } from './kinds.js';
import type recordSchemaFile from './record.schema.json';
import type runSchemaFile from './run.schema.json';
import type signOffSchemaFile from './sign-off.schema.json';
import type timestampSchemaFile from './timestamp.schema.json';

interface SchemaFiles {
  record: typeof recordSchemaFile;
  drill: typeof drillSchemaFile;
  'sign-off': typeof signOffSchemaFile;
  key: typeof keySchemaFile;
  timestamp: typeof timestampSchemaFile;
}

/** The schema of a kind of document, as it is shipped. */
export function documentSchema<K extends DocumentKind>(kind: K): SchemaFiles[K] {
  return readSchema(`${kind}.schema.json`) as SchemaFiles[K];
}

export function runSchema(): typeof runSchemaFile {
  return readSchema('run.schema.json') as typeof runSchemaFile;
}

/** @returns what is wrong with a run document, one sentence each; empty when it is valid. */
export function problemsOfRun(document: unknown): string[] {
  return problems('urn:snapproof:schema:run:v1', document);
}

/** @returns what is wrong with a record, one sentence each; empty when it is valid. */
export function problemsOfRecord(document: unknown): string[] {
  return problems(urnOf('record'), document);
}

/** By the schema that it names. @returns what is wrong with a document of the ledger, one sentence each; empty when it is valid. */
export function problemsOfDocument(document: { schema: string }): string[] {
  const kind = kindOf(document);
  return kind === null ? [`/schema names no kind of document: allowed are ${DOCUMENT_KINDS.map(schemaOf).join(', ')}`] : problems(urnOf(kind), document);
}

function urnOf(kind: DocumentKind): string {
  return `urn:snapproof:schema:${kind}:v1`;
}

/** Compiled when first needed: most runs of the program need none. */
let validator: Ajv2020 | undefined;

function problems(id: string, document: unknown): string[] {
  validator ??= newValidator();
  validator.validate(id, document);
  return (validator.errors ?? []).map(({ instancePath, message }: ErrorObject) => `${instancePath || '/'} ${message ?? 'is wrong'}`);
}

function newValidator(): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  addFormats.default(ajv);
  return ajv.addSchema([...DOCUMENT_KINDS.map((kind) => documentSchema(kind)), runSchema()]);
}

function readSchema(name: string): object {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}
