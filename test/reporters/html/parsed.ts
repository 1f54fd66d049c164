/** A page as a browser reads it, by a parser that follows the standard. */
import { type DefaultTreeAdapterMap, parse } from 'parse5';

export type Element = DefaultTreeAdapterMap['element'];
type Node = DefaultTreeAdapterMap['node'];

export interface Parsed {
  elements: Element[];
  text: string;
  errors: string[];
}

export function parsed(html: string): Parsed {
  const errors: string[] = [];
  const document = parse(html, { onParseError: ({ code, startLine, startCol }) => errors.push(`${code} at ${startLine}:${startCol}`) });
  const elements: Element[] = [];
  const texts: string[] = [];
  const walk = (node: Node): void => {
    if ('tagName' in node) elements.push(node);
    if (node.nodeName === '#text' && 'value' in node) texts.push(node.value);
    if ('childNodes' in node) node.childNodes.forEach(walk);
  };
  walk(document);
  return { elements, text: texts.join('\n'), errors };
}

export function attribute({ attrs }: Element, name: string): string | null {
  return attrs.find((one) => one.name === name)?.value ?? null;
}
