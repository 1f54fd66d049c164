/** The characters of a PC's text screen. Source: code page 437 as VGA's ROM draws it, with signs in place of control codes. */

const SIGNS = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const UPPER = 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';
const ASCII = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const CHARACTERS = [...SIGNS, ...ASCII, '⌂', ...UPPER];

export function characterOf(code: number): string {
  return CHARACTERS[code] ?? ' ';
}

/** Draws nothing whatever its colours. */
export function isBlankCode(code: number): boolean {
  return code === 0x00 || code === 0x20 || code === 0xff;
}
