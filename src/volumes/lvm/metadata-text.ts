/**
 * The text in which LVM2 keeps its metadata: sections in braces, `name = value`, lists in brackets, comments after `#`.
 * Format: lvm.conf(5) and the text metadata that `vgcfgbackup` writes.
 */
import { FormatError } from '../../errors.js';

export type TextValue = string | number | TextValue[] | TextSection;
export interface TextSection {
  [name: string]: TextValue;
}

const MAX_DEPTH = 16;
const TOKEN = /\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|([{}[\]=,])|([^\s{}[\]=,"#]+)/y;

type Token = { kind: 'string' | 'mark' | 'word'; text: string };

/** Parses the whole text. Throws FormatError where it does not have that shape. */
export function parseMetadataText(text: string): TextSection {
  const tokens = tokenize(text);
  const parser = new TextParser(tokens);
  return parser.section(0, true);
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN.source, 'y');
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw malformed('it holds a character that has no meaning there');
    const [, quoted, mark, word] = match;
    if (quoted !== undefined) tokens.push({ kind: 'string', text: quoted.replace(/\\(.)/g, '$1') });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
  }
  return tokens;
}

class TextParser {
  private at = 0;

  constructor(private readonly tokens: Token[]) {}

  section(depth: number, top = false): TextSection {
    if (depth > MAX_DEPTH) throw malformed('its sections are nested too deeply');
    const section: TextSection = Object.create(null) as TextSection;
    for (;;) {
      const token = this.tokens[this.at];
      if (!token && top) return section;
      if (token?.kind === 'mark' && token.text === '}' && !top) {
        this.at++;
        return section;
      }
      if (token?.kind !== 'word') throw malformed('a name is missing');
      this.at++;
      section[token.text] = this.member(depth);
    }
  }

  private member(depth: number): TextValue {
    const mark = this.take();
    if (mark.text === '{') return this.section(depth + 1);
    if (mark.text === '=') return this.value(depth);
    throw malformed('a name has no value');
  }

  private value(depth: number): TextValue {
    const token = this.take();
    if (token.kind === 'mark' && token.text === '[') return this.list(depth + 1);
    if (token.kind === 'string') return token.text;
    if (token.kind === 'word') return /^-?\d+(\.\d+)?$/.test(token.text) ? Number(token.text) : token.text;
    throw malformed('a value is missing');
  }

  private list(depth: number): TextValue[] {
    if (depth > MAX_DEPTH) throw malformed('its lists are nested too deeply');
    const values: TextValue[] = [];
    for (;;) {
      const token = this.tokens[this.at];
      if (token?.kind === 'mark' && (token.text === ',' || token.text === ']')) {
        this.at++;
        if (token.text === ']') return values;
        continue;
      }
      values.push(this.value(depth));
    }
  }

  private take(): Token {
    const token = this.tokens[this.at++];
    if (!token) throw malformed('it ends too early');
    return token;
  }
}

function malformed(why: string): FormatError {
  return new FormatError({ code: 'lvm.metadata', message: `the LVM metadata cannot be read: ${why}` });
}
