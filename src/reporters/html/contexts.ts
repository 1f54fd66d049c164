/**
 * Where the values of a template stand: HTML's own rules (WHATWG HTML, section 13.2.5, tokenization) say what a value may do there.
 * Templates are ours, values are a guest's, so a place where escaping is not enough is refused when the template is first used.
 */

export type Context = 'text' | 'attribute' | 'url';

/** Attributes whose value is an address. */
const ADDRESSES = new Set(['href', 'src', 'xlink:href', 'action', 'formaction', 'poster', 'data', 'srcset', 'cite', 'background']);
/** Attributes whose value is a program or a style sheet of its own language. */
const LANGUAGES = /^(on.*|style|srcdoc|http-equiv|content)$/;
const RAW = /<(script|style|textarea|title|iframe|noscript|template|plaintext|xmp)[\s>]/i;

/** One context for each value. @throws TypeError for a template with a value in a dangerous place: a mistake of ours. */
export function contextsOf(strings: readonly string[]): Context[] {
  const contexts: Context[] = [];
  let before = '';
  for (const text of strings.slice(0, -1)) {
    before += text;
    contexts.push(contextAfter(before));
    before += 'x';
  }
  return contexts;
}

function contextAfter(markup: string): Context {
  if (markup.lastIndexOf('<!--') > markup.lastIndexOf('-->')) throw misplaced('a comment', markup);
  if (/<\/?$/.test(markup)) throw misplaced('the name of an element', markup);
  const tag = openTag(markup);
  if (tag === null) {
    if (insideRaw(markup)) throw misplaced('an element whose content is no markup', markup);
    return 'text';
  }
  const attribute = /\s([^\s"'<>/=]+)="([^"]*)$/.exec(tag);
  if (!attribute) throw misplaced('a tag, outside of a quoted value', markup);
  const [, name = '', value = ''] = attribute;
  if (LANGUAGES.test(name.toLowerCase())) throw misplaced(`the attribute ${name}`, markup);
  if (!ADDRESSES.has(name.toLowerCase())) return 'attribute';
  if (value !== '') throw misplaced(`the middle of the attribute ${name}`, markup);
  return 'url';
}

/** The tag that is still open at the end, with its quoted values; null when the end is text. */
function openTag(markup: string): string | null {
  let start = -1;
  let quote = '';
  for (let index = 0; index < markup.length; index++) {
    const character = markup[index] ?? '';
    if (start < 0) {
      if (character === '<' && /[a-z/!]/i.test(markup[index + 1] ?? ' ')) start = index;
    } else if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '>') start = -1;
  }
  return start < 0 ? null : markup.slice(start);
}

function insideRaw(markup: string): boolean {
  const last = [...markup.matchAll(new RegExp(RAW, 'gi'))].at(-1);
  // The title of a drawing is text like any other, and so is that of a page: neither can hold markup that a value could end.
  if (!last || last[1]?.toLowerCase() === 'title') return false;
  return !markup.slice(last.index).toLowerCase().includes(`</${last[1]?.toLowerCase()}`);
}

function misplaced(where: string, markup: string): TypeError {
  return new TypeError(`A template puts a value into ${where}: …${markup.slice(-60)}`);
}
