/** Text of a manifest or policy as a value, with the line of every field for messages. JSON is read as JSON, YAML as YAML 1.2. */
import { isNode, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { UsageError } from '../errors.js';

export interface ParsedText {
  value: unknown;
  /** Line (from 1) of the field at a path of keys and indices, or of its nearest parent. */
  lineOf(path: (string | number)[]): number;
}

/** @throws UsageError with file and line. `file` is for messages only. */
export function parseText(text: string, kind: 'json' | 'yaml', file: string): ParsedText {
  if (kind === 'json') assertJson(text, file);
  const lines = new LineCounter();
  const document = parseDocument<ParsedNode>(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error) {
    throw new UsageError({
      code: `${kind}.syntax`,
      message: `${file}, line ${lines.linePos(error.pos[0]).line}: not valid ${kind.toUpperCase()}: ${error.message}`,
    });
  }
  const lineOf = (path: (string | number)[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  return { value: plainValue(() => document.toJS({ maxAliasCount: 100 }), kind, file), lineOf };
}

/** The YAML reader is more patient than JSON allows, so JSON is checked as JSON first. */
function assertJson(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message);
    const before = position ? text.slice(0, Number(position[1])) : text.trimEnd();
    const line = before.split('\n').length;
    throw new UsageError({ code: 'json.syntax', message: `${file}, line ${line}: not valid JSON: ${message}`, cause: error });
  }
}

function plainValue(read: () => unknown, kind: string, file: string): unknown {
  try {
    return read();
  } catch (cause) {
    throw new UsageError({ code: `${kind}.syntax`, message: `${file}: not usable: ${cause instanceof Error ? cause.message : cause}`, cause });
  }
}
