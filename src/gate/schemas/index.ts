/** The shipped JSON Schemas (2020-12) of what the gate, retention and the queue say to programs. */
import { readFileSync } from 'node:fs';
// Only so that the compiler puts the files beside this one: Node 20 warns when a program really imports JSON.
import type gateSchemaFile from './gate.schema.json';
import type queueSchemaFile from './queue.schema.json';
import type retainSchemaFile from './retain.schema.json';

interface SchemaFiles {
  gate: typeof gateSchemaFile;
  queue: typeof queueSchemaFile;
  retain: typeof retainSchemaFile;
}

export function gateSchema<K extends keyof SchemaFiles>(name: K): SchemaFiles[K] {
  return JSON.parse(readFileSync(new URL(`${name}.schema.json`, import.meta.url), 'utf8')) as SchemaFiles[K];
}
