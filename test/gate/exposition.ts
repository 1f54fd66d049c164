/** A strict parser of Prometheus' text exposition format 0.0.4: throws for whatever the format does not allow. */

export interface ParsedSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|NaN|[+-]Inf)$/;

export function parseExposition(text: string): ParsedSample[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const group = new Group();
  const seen = new Set<string>();
  const samples: ParsedSample[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    if (group.takes(line)) continue;
    const sample = parseSample(line);
    group.admit(sample.name);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(key)) throw new Error(`the same sample twice: ${key}`);
    seen.add(key);
    samples.push(sample);
  }
  return samples;
}

/** The lines of one metric stand together, after its HELP and TYPE, each of which comes once. */
class Group {
  private readonly helped = new Set<string>();
  private readonly typed = new Set<string>();
  private current = '';

  takes(line: string): boolean {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === undefined || name === undefined) return false;
    const set = keyword === 'HELP' ? this.helped : this.typed;
    if (set.has(name)) throw new Error(`${keyword} of ${name} twice`);
    if (keyword === 'TYPE' && !['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest ?? '')) throw new Error(`unknown type ${rest}`);
    set.add(name);
    this.current = name;
    return true;
  }

  admit(name: string): void {
    if (name !== this.current || !this.typed.has(name) || !this.helped.has(name)) throw new Error(`a sample of ${name} outside its group`);
  }
}

function parseSample(line: string): ParsedSample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no metric name: ${JSON.stringify(line)}`);
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === '{') {
    at++;
    while (line[at] !== '}') {
      const label = LABEL.exec(line.slice(at))?.[0];
      if (label === undefined || line.slice(at + label.length, at + label.length + 2) !== '="') throw new Error(`no label: ${JSON.stringify(line)}`);
      if (label in labels) throw new Error(`label twice: ${label}`);
      const { value, end } = quoted(line, at + label.length + 2);
      labels[label] = value;
      at = end;
      if (line[at] === ',') at++;
      else if (line[at] !== '}') throw new Error(`neither comma nor end: ${JSON.stringify(line)}`);
    }
    at++;
  }
  // A time stamp after the value would be one of the client, which a textfile must not have.
  if (line[at] !== ' ' || !VALUE.test(line.slice(at + 1))) throw new Error(`no value: ${JSON.stringify(line)}`);
  return { name, labels, value: Number(line.slice(at + 1)) };
}

function quoted(line: string, start: number): { value: string; end: number } {
  let value = '';
  for (let at = start; at < line.length; at++) {
    if (line[at] === '"') return { value, end: at + 1 };
    if (line[at] !== '\\') {
      value += line[at];
      continue;
    }
    const escaped = { '\\': '\\', '"': '"', n: '\n' }[line[++at] ?? ''];
    if (escaped === undefined) throw new Error(`unknown escape: ${JSON.stringify(line)}`);
    value += escaped;
  }
  throw new Error(`a label does not end: ${JSON.stringify(line)}`);
}
