/** What the policy says must be true in the data, as targets of checks, and as questions for the engines. */
import type { CheckTarget, ExpectationTarget } from '../check.js';
import type { CheckResult, DatabaseInstance, Expectation, Inspection, SqlExpectation, SqlQuestion, UntestedItem } from '../types.js';

const DEFAULT_TIMEOUT_SECONDS = 60;
const LABEL_CHARACTERS = 80;

/** One for each expectation, in their order; the number makes it unique. */
export function expectationTargets(expectations: Expectation[], inspection: Inspection): ExpectationTarget[] {
  return expectations.map((expectation, index) => {
    const instance = 'file' in expectation ? null : instanceOf(expectation, inspection);
    return { kind: 'expectation', id: expectationId(expectation, index), expectation, instance };
  });
}

export function expectationId(expectation: Expectation, index: number): string {
  const text = (expectation.name ?? ('file' in expectation ? expectation.file : expectation.query)).replace(/\s+/g, ' ').trim();
  const label = text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS - 3)}...` : text;
  return `expectation ${index + 1} (${label})`;
}

/** What was to be asked of the databases. */
export function questionsOf(targets: CheckTarget[]): SqlQuestion[] {
  return targets.flatMap((target) => (target.kind === 'expectation' ? (questionOf(target) ?? []) : []));
}

function questionOf({ id, expectation, instance }: ExpectationTarget): SqlQuestion | null {
  if ('file' in expectation || !instance || 'missing' in instance) return null;
  const { database = null, query, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = expectation;
  return { id, instance: instance.id, database, query, timeoutSeconds };
}

/** The one instance that is meant: by engine, or by the name that people know its family by (`mariadb`). `sure`: all data was looked at, so what is missing is really not there. */
function instanceOf(expectation: SqlExpectation, inspection: Inspection): DatabaseInstance | { missing: string; sure: boolean } {
  const { engine, instance } = expectation;
  const all = inspection.databases.filter((database) => database.engine === engine || database.facts.family === engine);
  const meant = instance === undefined ? all : all.filter(({ id, location }) => id === instance || location.path === instance);
  const [only, ...others] = meant;
  if (only && others.length === 0) return only;
  const named = instance === undefined ? `${engine} database` : `${engine} database ${instance}`;
  if (only)
    return {
      missing: `there are ${meant.length} that could be meant (${meant
        .slice(0, 5)
        .map(({ id }) => id)
        .join(', ')}): name one with "instance"`,
      sure: false,
    };
  const known =
    all.length > 0
      ? `; there are ${all
          .slice(0, 5)
          .map(({ id }) => id)
          .join(', ')}`
      : '';
  const sure = !inspection.untested.some((item) => item.holdsData);
  return { missing: `there is no ${named} in this restore point${known}`, sure };
}

/** Those to which the run did not come, because the disks could not be opened or the guest not be looked at. */
export function unreachedExpectations(expectations: Expectation[], checks: CheckResult[]): UntestedItem[] {
  const reached = new Set(checks.map(({ target }) => target));
  const ids = expectations.map(expectationId).filter((id) => !reached.has(id));
  return ids.map((what) => ({ what, why: 'the run did not come to it', holdsData: true }));
}
