/**
 * The configuration section: be32 length and name of the machine type, then subsections (05, be8 length, name, be32 version) that
 * differ between versions of QEMU and carry no length: those known here are passed.
 * Source: docs/devel/migration/main.rst of QEMU, scripts/analyze-migration.py.
 */
import type { Cursor, Reading } from '../../bytes/cursor.js';
import { broken, quoted } from '../findings.js';
import { readName } from './blocks.js';

const MAX_NAME_BYTES = 255;
const SUBSECTION = 0x05;
const UUID_BYTES = 16;
const MAX_CAPABILITIES = 64;

export interface Configuration {
  machineType: string;
  /** Of a page; null: as the machine has it. */
  pageBytes: number | null;
  /** Capabilities of the migration that change the stream. */
  capabilities: string[];
}

export function* readConfiguration(cursor: Cursor): Reading<Configuration> {
  const at = cursor.position;
  const length = (yield* cursor.bytes(4)).readUInt32BE(0);
  if (length > MAX_NAME_BYTES) throw broken('stream.garbled', `the name of the machine type at ${at} is stated to have ${length} bytes`);
  const configuration: Configuration = { machineType: (yield* cursor.bytes(length)).toString('latin1'), pageBytes: null, capabilities: [] };
  while (cursor.left > 0 && (yield* cursor.peek(1))[0] === SUBSECTION) yield* readSubsection(cursor, configuration);
  return configuration;
}

function* readSubsection(cursor: Cursor, configuration: Configuration): Reading<void> {
  const at = cursor.position;
  yield* cursor.skip(1);
  const name = yield* readName(cursor);
  yield* cursor.skip(4);
  if (name === 'configuration/target-page-bits') configuration.pageBytes = 2 ** ((yield* cursor.bytes(4)).readUInt32BE(0) % 32);
  else if (name === 'configuration/capabilities') configuration.capabilities = yield* readCapabilities(cursor);
  else if (name === 'configuration/uuid') yield* cursor.skip(UUID_BYTES);
  else throw broken('stream.garbled', `the configuration of the stream has a part ${quoted(name)} at ${at} that is not known`);
}

function* readCapabilities(cursor: Cursor): Reading<string[]> {
  const count = (yield* cursor.bytes(4)).readUInt32BE(0);
  if (count > MAX_CAPABILITIES) throw broken('stream.garbled', `the configuration of the stream states ${count} capabilities before byte ${cursor.position}`);
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(yield* readName(cursor));
  return names;
}
