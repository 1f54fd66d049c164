/** Paths with names left open: `/backup/{machine}/{takenAt}`. Pure: which names fit, and what they say. */
import { UsageError } from '../../errors.js';
import { INSTANT_PATTERN, parseInstant } from './instant.js';

/** One part of a path. `names`: null for a part that is a name itself. */
export interface TemplatePart {
  text: string;
  names: RegExp | null;
}

export interface NameFacts {
  machine?: string;
  takenAt?: string;
}

/** @param template absolute. @throws UsageError for a field that nobody knows. */
export function parseTemplate(template: string): TemplatePart[] {
  const parts = template.split('/').filter(Boolean);
  const seen = new Set<string>();
  return parts.map((text) => ({ text, names: /[*{]/.test(text) ? compile(text, template, seen) : null }));
}

function compile(part: string, template: string, seen: Set<string>): RegExp {
  const pieces = part.split(/(\{[^{}]*\}|\*)/).filter(Boolean);
  const source = pieces.map((piece) => {
    if (piece === '*') return '[^/]*?';
    const field = /^\{([^{}]*)\}$/.exec(piece)?.[1];
    if (field === undefined) return piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if ((field !== 'machine' && field !== 'takenAt') || seen.has(field)) throw unknownField(field, template, seen.has(field));
    seen.add(field);
    return field === 'machine' ? '(?<machine>[^/]+?)' : `(?<takenAt>${INSTANT_PATTERN})`;
  });
  return new RegExp(`^${source.join('')}$`);
}

/** What a name says; null when it does not fit. */
export function matchPart(part: TemplatePart, name: string): NameFacts | null {
  if (!part.names) return name === part.text ? {} : null;
  if (name.startsWith('.') && !part.text.startsWith('.')) return null;
  const groups = part.names.exec(name)?.groups ?? (part.names.test(name) ? {} : null);
  if (!groups) return null;
  const { machine, takenAt } = groups;
  const instant = takenAt === undefined ? undefined : parseInstant(takenAt);
  if (instant === null) return null;
  return { ...(machine === undefined ? {} : { machine }), ...(instant === undefined ? {} : { takenAt: instant }) };
}

function unknownField(field: string, template: string, twice: boolean): UsageError {
  const why = twice ? `names {${field}} twice` : `names {${field}}, which nobody knows`;
  return new UsageError({
    code: 'drill-source.template',
    message: `the template ${template} ${why}`,
    advice: 'Use {machine}, {takenAt} and *, each field once.',
  });
}
