/** Netplan's YAML: its "YAML configuration" reference. Files are read in the order of their names; later keys go over earlier ones. */
import { parseDocument } from 'yaml';
import type { ConfiguredAddress } from '../../../types.js';
import { type AddressSource, byDhcp, fixed, ipOrNull, macOrNull } from './configured.js';
import { gatewayFor } from './networkd.js';

const KINDS = ['ethernets', 'bonds', 'bridges', 'vlans', 'wifis'];
/** No file of netplan goes deeper. One that does would exhaust the parser's stack, which can end the whole program. */
const MAX_DEPTH = 30;
const MAX_INDENT = 200;

type Fields = Record<string, unknown>;

export const netplan: AddressSource = async (reader) => {
  const files = await reader.all(await reader.glob('/etc/netplan/*.yaml'));
  const cards = new Map<string, { fields: Fields; from: string }>();
  for (const { path, text } of files) {
    const network = fieldsOf(fieldsOf(parsed(text)).network);
    for (const [name, fields] of KINDS.flatMap((kind) => Object.entries(fieldsOf(network[kind])))) {
      cards.set(name, { fields: { ...cards.get(name)?.fields, ...fieldsOf(fields) }, from: path });
    }
  }
  return [...cards].flatMap(([name, { fields, from }]) => addressesOf(name, fields, from));
};

function parsed(text: string): unknown {
  if (!text.split('\n').every(isShallow) || flowDepth(text) > MAX_DEPTH) return null;
  try {
    return parseDocument(text, { logLevel: 'silent' }).toJS({ maxAliasCount: 20 });
  } catch {
    return null;
  }
}

/** Marks of a line that can each open a level: `- - - x`. */
function isShallow(line: string): boolean {
  return line.search(/\S|$/) <= MAX_INDENT && line.split(/\s+/).filter((word) => /^[-?:]$/.test(word)).length <= MAX_DEPTH;
}

/** At least as deep as brackets and braces go, whatever stands in quotes. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [mark] of text.matchAll(/[[{\]}]/g)) {
    depth = mark === '[' || mark === '{' ? depth + 1 : Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function addressesOf(name: string, fields: Fields, from: string): ConfiguredAddress[] {
  const match = fieldsOf(fields.match);
  const card = { interface: textOf(fields['set-name']) ?? (match.macaddress ? null : name), mac: macOrNull(textOf(match.macaddress) ?? undefined), from };
  const routes = listOf(fields.routes).map(fieldsOf);
  const defaults = routes.filter(({ to }) => /^(default|0\.0\.0\.0\/0|::\/0|0\/0)$/.test(textOf(to) ?? '')).map(({ via }) => via);
  const gateways = [fields.gateway4, fields.gateway6, ...defaults].flatMap((text) => ipOrNull(textOf(text) ?? undefined) ?? []);
  const addresses = listOf(fields.addresses).flatMap((entry) => textOf(entry) ?? Object.keys(fieldsOf(entry)));
  const dhcp = [fields.dhcp4, fields.dhcp6].some((value) => value === true || value === 'yes' || value === 'true');
  return [...addresses.flatMap((text) => fixed(text, gatewayFor(text, gateways), card)), ...(dhcp ? [byDhcp(card)] : [])];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, 200) : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
