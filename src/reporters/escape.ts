/**
 * Strings from a guest are hostile: here they become harmless, and what was in them visible. Terminal controls are ECMA-48's; the direction
 * controls are those of "Trojan Source" (Unicode Standard Annex 9), with which text can be made to read otherwise than it is.
 */

/** Controls (C0, DEL, C1), direction controls, joiners and other invisible characters, line separators, tags, halves of surrogate pairs, code points that are no characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}\p{Co}\p{Noncharacter_Code_Point}\u115f\u1160\u3164\uffa0]/gu;

/** One line without anything that a terminal would obey; each such character is shown as `\x1b` or `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, shown);
}

/** The same, but line feeds and tabs stay: for texts of our own, such as a README. */
export function visibleLines(text: string): string {
  return text.replace(INVISIBLE, (character) => (character === '\n' || character === '\t' ? character : shown(character)));
}

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits.padStart(4, '0')}}`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and quoted attribute values of HTML. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** For text and quoted attribute values of XML 1.0, which has no way to write most controls, U+FFFE and U+FFFF (section 2.2). */
export function escapeXml(text: string): string {
  return escapeHtml(text.replace(/[\ufffe\uffff]/g, shown));
}
