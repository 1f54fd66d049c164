import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, visible } from '../../../src/reporters/escape.js';
import { html, InnerAddress, MOST_CHARACTERS, safeId } from '../../../src/reporters/html/template.js';
import { ATTACKS, hostileText } from './hostile.js';
import { attribute, parsed } from './parsed.js';

describe('a template', () => {
  it('gives every text back as it is seen, and nothing of it becomes markup', () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (text, value) => {
        const { elements, errors } = parsed(`<!DOCTYPE html><title>t</title>${html`<p title="${value}">${text}</p>`.text}`);
        const [p, ...more] = elements.filter(({ tagName }) => !['html', 'head', 'title', 'body'].includes(tagName));
        expect(errors).toEqual([]);
        expect(more).toEqual([]);
        expect(p && attribute(p, 'title')).toBe(visible(value));
        expect(p?.childNodes.map((node) => ('value' in node ? node.value : '?')).join('')).toBe(visible(text));
      }),
      { numRuns: 500 },
    );
  });
  it('holds in drawings too', () => {
    for (const attack of ATTACKS) {
      const { elements } = parsed(html`<svg viewBox="0 0 1 1"><title>${attack}</title><text class="${attack}">${attack}</text></svg>`.text);
      expect(elements.map(({ tagName }) => tagName)).toEqual(['html', 'head', 'body', 'svg', 'title', 'text']);
    }
  });
  it('cuts what is too long, and says so', () => {
    const text = html`${'x'.repeat(MOST_CHARACTERS + 10)}`.text;
    expect(text).toHaveLength(MOST_CHARACTERS + '… (10 more characters in the record)'.length);
    expect(text).toMatch(/10 more characters/);
  });
  it('takes lists, numbers and nothing', () => {
    expect(html`${['<', 1, null, undefined, false, html`<b>${'&'}</b>`]}`.text).toBe('&lt;1<b>&amp;</b>');
  });
  it.each([
    ['a script', () => html`<script>${'x'}</script>`],
    ['a style', () => html`<style>${'x'}</style>`],
    ['a comment', () => html`<!-- ${'x'} -->`],
    ['a handler', () => html`<p onclick="${'x'}"></p>`],
    ['a style attribute', () => html`<p style="${'x'}"></p>`],
    ['an attribute without quotes', () => html`<p title=${'x'}></p>`],
    ['the name of an attribute', () => html`<p ${'x'}="y"></p>`],
    ['the name of an element', () => html`<${'x'}></p>`],
    ['an address of a guest', () => html`<a href="${'https://example.org'}">x</a>`],
    ['the rest of an address', () => html`<a href="#${'x'}">x</a>`],
    ['markup in an attribute', () => html`<p title="${html`<b>x</b>`}"></p>`],
    ['an address in the text', () => html`<p>${InnerAddress.of('x')}</p>`],
  ])('refuses a value in %s', (_, make) => {
    expect(make).toThrow(TypeError);
  });
  it('knows addresses that stay inside, and only those', () => {
    expect(html`<a href="${InnerAddress.of('a "b')}">x</a>`.text).toBe('<a href="#a-b">x</a>');
    expect(() => InnerAddress.png(Buffer.from('<svg onload="alert(1)">'))).toThrow(TypeError);
  });
  it('makes ids of letters, digits and dashes only', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^[A-Za-z0-9-]{0,120}$/.test(safeId(text))));
  });
});

describe('escapeHtml', () => {
  it('shows what is hidden', () => {
    expect(escapeHtml('\u202ea\u0000<')).toBe('\\u{202e}a\\x00&lt;');
  });
});
