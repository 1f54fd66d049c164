/**
 * XML as a tree of elements, bounded. A document type is refused: with it come entities, and with these a small file that grows to
 * gigabytes.
 */
import { SaxesParser } from 'saxes';
import { FormatError } from '../errors.js';

const MAX_CHARACTERS = 4 * 2 ** 20;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 100_000;

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** The root element. @throws FormatError */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_CHARACTERS) throw wrong(`it has ${text.length} characters`);
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let elements = 0;
  const parser = new SaxesParser({ xmlns: false });
  parser.on('error', (error) => {
    throw wrong(error.message.slice(0, 200));
  });
  parser.on('doctype', () => {
    throw wrong('it has a document type');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (++elements > MAX_ELEMENTS || open.length > MAX_DEPTH) throw wrong('it has too many elements');
    const element: XmlElement = { name, attributes: attributes as Record<string, string>, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('text', (part) => {
    const current = open.at(-1);
    if (current) current.text += part;
  });
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  const [root] = top.children;
  if (!root) throw wrong('it is empty');
  return root;
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

export function children(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((candidate) => candidate.name === name) ?? [];
}

export function attribute(element: XmlElement | undefined, name: string): string | null {
  return element && Object.hasOwn(element.attributes, name) ? (element.attributes[name] ?? null) : null;
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'hardware.xml', message: `the XML cannot be read: ${why}` });
}
