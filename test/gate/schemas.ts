/** Every document that a test of the gate reads is held against its shipped schema. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { gateSchema } from '../../src/gate/schemas/index.js';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);
const validators = {
  gate: ajv.compile(gateSchema('gate')),
  queue: ajv.compile(gateSchema('queue')),
  retain: ajv.compile(gateSchema('retain')),
};

/** @throws Error that says where it differs */
export function valid<T>(name: keyof typeof validators, text: string): T {
  const document: unknown = JSON.parse(text);
  const validate = validators[name];
  if (!validate(document)) throw new Error(`${name}: ${ajv.errorsText(validate.errors)}`);
  return document as T;
}
