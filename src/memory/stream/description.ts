/**
 * The stream's description of itself: JSON at its end that names every device section with all its fields and their sizes. Without
 * it the length of a device section is not known. Its text is checked here once: what comes out has the shape it states.
 * Source: docs/devel/migration/main.rst of QEMU, scripts/analyze-migration.py, and streams of QEMU 7.2.
 */
import { broken } from '../findings.js';

/** Bounds what JSON.parse is given: real ones have 50 to 500 KB. */
export const MAX_DESCRIPTION_BYTES = 16 * 2 ** 20;
const MAX_DEVICES = 10_000;
const MAX_DEPTH = 24;

export interface Field {
  name: string;
  type: string;
  /** Of one element. */
  sizeBytes: number;
  elements: number;
  struct: Layout | null;
}

/** A device or a structure in one: its fields, then its subsections, each with a head of its own. */
export interface Layout {
  fields: Field[];
  subsections: { name: string; layout: Layout }[];
}

export interface DescribedDevice extends Layout {
  name: string;
  instance: number;
}

export interface Description {
  pageBytes: number;
  devices: DescribedDevice[];
}

/** @throws FormatError */
export function parseDescription(text: string): Description {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw broken('stream.description', "the stream's description of its devices is no JSON");
  }
  const { page_size: pageBytes, devices } = recordOf(json);
  if (!Array.isArray(devices) || devices.length > MAX_DEVICES) throw broken('stream.description', "the stream's description lists no devices, or too many");
  return { pageBytes: typeof pageBytes === 'number' ? pageBytes : 4096, devices: devices.map(toDevice) };
}

function toDevice(json: unknown): DescribedDevice {
  const { name, instance_id: instance } = recordOf(json);
  return { name: textOf(name), instance: sizeOf(instance), ...toLayout(json, 0) };
}

function toLayout(json: unknown, depth: number): Layout {
  if (depth > MAX_DEPTH) throw broken('stream.description', "structures in the stream's description are nested too deeply");
  const { fields, subsections } = recordOf(json);
  return {
    fields: arrayOf(fields).map((field) => toField(field, depth)),
    subsections: arrayOf(subsections).map((part) => ({ name: textOf(recordOf(part).vmsd_name), layout: toLayout(part, depth + 1) })),
  };
}

function toField(json: unknown, depth: number): Field {
  const { name, type, size, array_len: elements, struct } = recordOf(json);
  return {
    name: textOf(name),
    type: textOf(type),
    sizeBytes: sizeOf(size),
    elements: elements === undefined ? 1 : sizeOf(elements),
    struct: struct === undefined ? null : toLayout(struct, depth + 1),
  };
}

/** Bytes of a device section between its head and its footer. Not a safe integer when its sizes are absurd. */
export function lengthOf(layout: Layout): number {
  const fields = layout.fields.reduce((sum, { sizeBytes, elements }) => sum + sizeBytes * elements, 0);
  return layout.subsections.reduce((sum, { name, layout }) => sum + headBytes(name) + lengthOf(layout), fields);
}

/** Type byte, length of the name, name, version. */
function headBytes(name: string): number {
  return 1 + 1 + name.length + 4;
}

/** A field's place within its section; of arrays the first element's. */
export interface Place {
  offset: number;
  lengthBytes: number;
  elements: number;
  type: string;
}

/** The field that is called so, in the device itself or in its subsections; `anywhere`: also inside of structures. */
export function findField(layout: Layout, name: string, where: 'outside' | 'anywhere' = 'outside'): Place | null {
  return search(layout, (field) => field.name === name, where === 'anywhere');
}

/** The first field of this type, also inside of structures. */
export function findType(layout: Layout, type: string): Place | null {
  return search(layout, (field) => field.type === type, true);
}

function search(layout: Layout, wanted: (field: Field) => boolean, deep: boolean): Place | null {
  let offset = 0;
  for (const field of layout.fields) {
    if (wanted(field)) return { offset, lengthBytes: field.sizeBytes * field.elements, elements: field.elements, type: field.type };
    const inner = deep && field.struct ? search(field.struct, wanted, deep) : null;
    if (inner) return { ...inner, offset: offset + inner.offset };
    offset += field.sizeBytes * field.elements;
  }
  for (const { name, layout: part } of layout.subsections) {
    offset += headBytes(name);
    const inner = search(part, wanted, deep);
    if (inner) return { ...inner, offset: offset + inner.offset };
    offset += lengthOf(part);
  }
  return null;
}

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken('stream.description', "the stream's description does not have its shape");
  return value as Record<string, unknown>;
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 255) : '';
}

function sizeOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
