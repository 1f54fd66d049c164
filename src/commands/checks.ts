/** `snapproof checks [ID]`: lists every check, or explains one. */
import type { Check } from '../check.js';
import { EXIT, type ExitCode, UsageError } from '../errors.js';
import { palette, wantsColour } from '../reporters/colour.js';
import { visible } from '../reporters/escape.js';
import { writeDocument } from '../reporters/json.js';
import { renderMarkdown } from '../reporters/markdown.js';
import { wrap } from '../reporters/text.js';
import { count, formatSeconds } from '../reporters/units.js';
import { print, type Streams, widthOf } from './streams.js';

export interface ChecksArguments {
  /** A check or a family; none lists all. */
  id?: string | undefined;
  json?: boolean | undefined;
}

export interface CheckLibrary {
  checks: readonly Check[];
  /** The README of the check's folder; null when it is not there. */
  readReadme(id: string): Promise<string | null>;
}

/** @throws UsageError when no check has that id. */
export async function checksCommand(options: ChecksArguments, library: CheckLibrary, streams: Streams): Promise<ExitCode> {
  const chosen = choose(library.checks, options.id);
  const one = chosen.find(({ id }) => id === options.id);
  if (options.json) await writeDocument(await toDocument(chosen, one, library), streams.stdout);
  else if (one) await print(streams.stdout, explain(one, await library.readReadme(one.id), streams));
  else await print(streams.stdout, list(chosen, streams));
  return EXIT.passed;
}

function choose(checks: readonly Check[], id: string | undefined): Check[] {
  const sorted = [...checks].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (id === undefined) return sorted;
  const chosen = sorted.filter((check) => check.id === id || check.id.startsWith(`${id}/`));
  if (chosen.length > 0) return chosen;
  const near = sorted.filter((check) => check.id.split('/').some((part) => id.includes(part) || part.includes(id))).map((check) => check.id);
  const advice = near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'Run "snapproof checks" for the list.';
  throw new UsageError({ code: 'usage.check', message: `There is no check "${visible(id)}".`, advice });
}

async function toDocument(chosen: Check[], one: Check | undefined, library: CheckLibrary): Promise<object> {
  const checks = chosen.map(({ skipReason: _skip, collect: _collect, evaluate: _evaluate, ...facts }) => facts);
  return { schema: 'snapproof.checks/v1', checks, ...(one ? { readme: await library.readReadme(one.id) } : {}) };
}

function list(checks: Check[], streams: Streams): string {
  const width = widthOf(streams.stdout);
  const paint = palette(wantsColour(streams.stdout));
  const lines = checks.flatMap((check) => [
    `${paint.bold(check.id)}  (from depth ${check.depth}; ${LAB_WORDS[check.lab]})`,
    ...wrap(check.title, { width, first: '  passes when: ' }),
    ...wrap(check.description, { width, first: '  proves: ' }),
    '',
  ]);
  return `${lines.join('\n')}${lines.length > 0 ? '\n' : ''}${count(checks.length, 'check')}. "snapproof checks ID" explains one.\n`;
}

const LAB_WORDS: Record<Check['lab'], string> = {
  none: 'reads the images on the host',
  sandbox: 'uses host tools in the sandbox',
  appliance: 'uses the libguestfs appliance',
  machine: 'starts the machine',
};

function explain(check: Check, readme: string | null, streams: Streams): string {
  const width = widthOf(streams.stdout);
  const paint = palette(wantsColour(streams.stdout));
  const facts: [string, string][] = [
    ['Passes when', check.title],
    ['Fails as', check.failureTitle],
    ['Proves', check.description],
    ['Looks at', `each ${check.targetKind}, in the ${check.stage} stage; ${LAB_WORDS[check.lab]}`],
    ['Runs from', `depth ${check.depth}; at most ${formatSeconds(check.timeoutMs / 1000)}`],
    ['Defaults', JSON.stringify(check.defaultOptions)],
  ];
  const parts = [
    paint.bold(check.id),
    facts.flatMap(([name, text]) => wrap(text, { width, first: `  ${name.padEnd(13)}` })).join('\n'),
    renderMarkdown(readme ?? 'This check has no README.', { width, paint }),
    `${paint.bold('Options (JSON Schema)')}\n${JSON.stringify(check.optionsSchema, null, 2)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}
