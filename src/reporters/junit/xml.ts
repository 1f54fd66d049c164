/** Suites and cases as XML 1.0. */
import { bounded } from '../bounded.js';
import { escapeXml } from '../escape.js';

export type Outcome = 'pass' | 'failure' | 'error' | 'skipped';

export interface Case {
  className: string;
  name: string;
  seconds: number;
  outcome: Outcome;
  /** One sentence; of a pass it is not shown. */
  message: string;
  /** Lines below the message. */
  text: readonly string[];
}

export interface Suite {
  name: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  seconds: number;
  properties: Record<string, string>;
  cases: Case[];
  output: readonly string[];
}

const MOST = 4000;

export function suitesXml(name: string, suites: readonly Suite[]): string {
  const cases = suites.flatMap((suite) => suite.cases);
  const seconds = suites.reduce((sum, suite) => sum + suite.seconds, 0);
  const head = `<testsuites name="${text(name)}" ${counts(cases)} time="${time(seconds)}">`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${suites.map(suiteXml).join('')}</testsuites>\n`;
}

function suiteXml({ name, startedAt, seconds, properties, cases, output }: Suite, id: number): string {
  const skipped = cases.filter(({ outcome }) => outcome === 'skipped').length;
  const when = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.exec(startedAt)?.[0] ?? '1970-01-01T00:00:00';
  const attributes = `id="${id}" name="${text(name)}" package="snapproof" hostname="localhost" timestamp="${when}" ${counts(cases)} skipped="${skipped}" time="${time(seconds)}"`;
  const named = Object.entries(properties).map(([key, value]) => `<property name="${text(key)}" value="${text(value)}"/>`);
  return `<testsuite ${attributes}>\n<properties>${named.join('')}</properties>\n${cases.map(caseXml).join('')}<system-out>${lines(output)}</system-out>\n<system-err></system-err>\n</testsuite>\n`;
}

function caseXml({ className, name, seconds, outcome, message, text: below }: Case): string {
  const head = `<testcase classname="${text(className)}" name="${text(name)}" time="${time(seconds)}"`;
  if (outcome === 'pass') return `${head}/>\n`;
  // Ant's schema wants skipped cases empty; both readers show the message all the same.
  if (outcome === 'skipped') return `${head}><skipped message="${text(message)}"/></testcase>\n`;
  return `${head}><${outcome} message="${text(message)}" type="${text(className)}">${lines(below)}</${outcome}></testcase>\n`;
}

function counts(cases: readonly Case[]): string {
  const of = (wanted: Outcome): number => cases.filter(({ outcome }) => outcome === wanted).length;
  return `tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}"`;
}

const text = (value: string): string => escapeXml(bounded(value, MOST));
const lines = (all: readonly string[]): string => all.slice(0, 1000).map(text).join('\n');
const time = (seconds: number): string => (Number.isFinite(seconds) ? Math.max(0, seconds) : 0).toFixed(3);
