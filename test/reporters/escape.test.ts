import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, escapeXml, visible, visibleLines } from '../../src/reporters/escape.js';

const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u;

describe('strings from a guest', () => {
  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['a\nb\r\tc', 'a\\x0ab\\x0d\\x09c'],
    ['\u009b31m', '\\x9b31m'],
    ['invoice\u202egpj.exe', 'invoice\\u{202e}gpj.exe'],
    ['\u2066\u200b\ufeff\u00ad', '\\u{2066}\\u{200b}\\u{feff}\\xad'],
    ['\u{e0041}', '\\u{e0041}'],
    ['half \ud800', 'half \\u{d800}'],
    ['C:\\Users\\Größe 数据 😀', 'C:\\Users\\Größe 数据 😀'],
  ])('%j is shown as %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });
  it('never carry anything a terminal would obey, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }), (a, b) => {
        expect(visible(a + b)).not.toMatch(HARMFUL);
        expect(visibleLines(a + b).replace(/[\n\t]/g, '')).not.toMatch(HARMFUL);
      }),
    );
  });
  it('never carry markup into HTML or XML', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const escaped of [escapeHtml(text), escapeXml(text)]) {
          expect(escaped).not.toMatch(/[<>"']/);
          expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
        }
        expect(escapeXml(text)).not.toMatch(/[^\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
      }),
    );
    expect(escapeXml('a & <b> "c" \'d\' \u0000 \uffff')).toBe('a &amp; &lt;b&gt; &quot;c&quot; &#39;d&#39; \\x00 \\u{ffff}');
  });
});
