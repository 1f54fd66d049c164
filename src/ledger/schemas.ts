/** The shipped JSON Schemas (2020-12) of what snapproof writes, and a validator for them. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
// Only so that the compiler puts the files beside this one: Node 20 warns when a program really imports JSON.
import type recordSchemaFile from './record.schema.json';
import type runSchemaFile from './run.schema.json';

export function recordSchema(): typeof recordSchemaFile {
  return readSchema('record.schema.json') as typeof recordSchemaFile;
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
  return problems('urn:snapproof:schema:record:v1', document);
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
  return ajv.addSchema([recordSchema(), runSchema()]);
}

function readSchema(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}
