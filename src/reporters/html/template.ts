/**
 * Markup by a tagged template that escapes by default: whatever is put into it is text, unless it was made by a template itself.
 * What is hidden or reads otherwise than it is (controls, direction marks) is shown, and long strings are cut.
 */
import { bounded } from '../bounded.js';
import { escapeHtml } from '../escape.js';
import { type Context, contextsOf } from './contexts.js';

/** Text that is markup already. Made by templates alone, but for what `page.ts` says of the document as a whole. */
export class Markup {
  constructor(readonly text: string) {}
}

/** An address that stays inside the document. */
export class InnerAddress {
  private constructor(readonly text: string) {}

  /** A place in the same document. */
  static of(id: string): InnerAddress {
    return new InnerAddress(`#${safeId(id)}`);
  }

  /** An image, inline. @throws TypeError for what is no PNG */
  static png(bytes: Uint8Array): InnerAddress {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!buffer.subarray(0, 8).equals(PNG)) throw new TypeError('these bytes are no PNG');
    return new InnerAddress(`data:image/png;base64,${buffer.toString('base64')}`);
  }
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export type Value = Markup | InnerAddress | string | number | null | undefined | false | readonly Value[];

/** More than any sentence of ours needs. */
export const MOST_CHARACTERS = 4000;

const known = new WeakMap<TemplateStringsArray, Context[]>();

export function html(strings: TemplateStringsArray, ...values: Value[]): Markup {
  const contexts = known.get(strings) ?? contextsOf(strings);
  known.set(strings, contexts);
  let text = strings[0] ?? '';
  for (const [index, value] of values.entries()) text += render(value, contexts[index] ?? 'text') + (strings[index + 1] ?? '');
  return new Markup(text);
}

export const NOTHING = new Markup('');

function render(value: Value, context: Context): string {
  if (value instanceof InnerAddress) {
    if (context === 'text') throw new TypeError('an address stands in the text');
    return value.text;
  }
  if (context === 'url') throw new TypeError('an address is no InnerAddress: nothing of a report may lead out of it');
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) {
    if (context !== 'text') throw new TypeError('markup stands in an attribute');
    return value.text;
  }
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(bounded(value, MOST_CHARACTERS));
  return value.map((one) => render(one, context)).join('');
}

/** Letters, digits and dashes: the same for the same text, and unique as far as the text is. */
export function safeId(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 120);
}
