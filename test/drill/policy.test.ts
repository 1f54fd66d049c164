/** Drill policies: read as they are meant, and what is wrong is said with its line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadlineAfter, durationSeconds, durationWords } from '../../src/drill/policy/duration.js';
import { parseDrillPolicy } from '../../src/drill/policy/load.js';
import { fits } from '../../src/drill/policy/patterns.js';
import { SnapproofError } from '../../src/errors.js';

const CHECKS = [
  { id: 'sqlite/pages', optionsSchema: { type: 'object', additionalProperties: false, properties: { most: { type: 'integer' } } } },
  { id: 'image/structure', optionsSchema: { type: 'object' } },
];

const parse = (text: string) => parseDrillPolicy(text, '/etc/snapproof/nightly.yaml', CHECKS);

describe('a drill policy', () => {
  it('needs nothing but a source', () => {
    const policy = parse('sources:\n  - folders: ../backup/{machine}/{takenAt}\n');
    expect(policy).toMatchObject({ name: 'nightly', deadline: null, select: { how: 'latest' }, controls: false, trustStamps: false });
    expect(policy.sources).toEqual([{ kind: 'folders', template: '/etc/backup/{machine}/{takenAt}' }]);
    expect(policy.machines).toMatchObject([{ match: ['*'], everySeconds: null, policy: { depth: 'recovery' } }]);
  });

  it('takes in each machine all that a policy of verify knows', () => {
    const [rule] = parse(`
sources: [{ paths: [a.qcow2] }]
machines:
  - match: [db-*, mail]
    every: 7d
    rto: 2h
    rpo: 26h
    require: [sqlite]
    tags: { owner: ops }
    depth: boot
    skip: [image/structure]
    options: { sqlite/pages: { most: 3 } }
    expect: [{ engine: sqlite, query: "select count(*) from t", atLeast: 1 }]
    limits: { applianceMemoryMiB: 2000 }
`).machines;
    expect(rule).toMatchObject({ everySeconds: 604_800, rtoSeconds: 7200, rpoSeconds: 93_600, require: ['sqlite'], tags: { owner: 'ops' } });
    expect(rule?.policy).toMatchObject({ depth: 'boot', skip: ['image/structure'], limits: { applianceMemoryMiB: 2000, checkTimeoutMs: 900_000 } });
  });

  it.each([
    ['sources: [{ paths: [a] }]\nmashines: []\n', /line 2: unknown field "mashines" \(did you mean "machines"\?\)/],
    ['sources:\n  - paths: [a]\n    command: [x]\n', /line 2: "paths" and "command" do not go together/],
    ['sources:\n  - timeout: 3m\n', /line 2: it needs one of folders, /],
    [
      'sources: [{ paths: [a] }]\nmachines:\n  - match: x\n    options: { sqlite/pages: { many: 1 } }\n',
      /line 4: options of sqlite\/pages: unknown field "many"/,
    ],
    [
      'sources: [{ paths: [a] }]\nmachines:\n  - match: x\n  - match: y\n    require: [sqlit]\n',
      /line 5: there is no check or family "sqlit"; did you mean "sqlite"/,
    ],
    ['sources: [{ paths: [a] }]\nmachines:\n  - match: x\n    only: [nothing]\n', /line 4: there is no check or family "nothing"/],
    ['sources: [{ paths: [a] }]\nselect: { how: random }\n', /line 2: random needs "count"/],
    ['sources: [{ paths: [a] }]\nselect: { how: unverified }\n', /line 2: unverified needs "for"/],
    ['sources: [{ paths: [a] }]\ndeadline: 25:00\n', /line 2: field "deadline"/],
    ['sources: [{ paths: [a] }]\ntell:\n  - webhook: ftp://x\n', /line 3: field "tell.0.webhook"/],
    ['sources: [{ paths: [a] }]\ntell:\n  - mail: { to: [a@b], from: c@d, server: s, user: u }\n', /line 3: "user" and "password" go together/],
    ['sources: [{ paths: [a] }]\ntell:\n  - mail: { to: ["a@b\\r\\nBcc: x@y"], from: c@d, server: s }\n', /line 3: field "tell.0.mail.to.0"/],
    ['', /must be of type object/],
  ])('%j is refused with its line', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('is bounded against YAML that grows', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefg'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`)}]`)].join('\n');
    expect(() => parse(bomb)).toThrow(SnapproofError);
  });
});

describe('spans and times', () => {
  it('are read and said', () => {
    expect(['30s', '90m', '26h', '7d', '2w'].map(durationSeconds)).toEqual([30, 5400, 93_600, 604_800, 1_209_600]);
    expect([60, 90, 604_800, 86_400].map(durationWords)).toEqual(['1 minute', '90 seconds', '7 days', '1 day']);
  });

  it('a deadline is the next such time of day, or so long after', () => {
    const evening = new Date(2026, 10, 20, 22, 0);
    expect(deadlineAfter(evening, '06:00')).toEqual(new Date(2026, 10, 21, 6, 0));
    expect(deadlineAfter(evening, '23:30')).toEqual(new Date(2026, 10, 20, 23, 30));
    expect(deadlineAfter(evening, '5h')).toEqual(new Date(2026, 10, 21, 3, 0));
  });
});

describe('names of machines', () => {
  it.each([
    ['*', 'anything', true],
    ['db-*', 'db-', true],
    ['db-*', 'web', false],
    ['web?', 'web1', true],
    ['web?', 'web', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a.c', 'abc', false],
  ])('%s and %s', (pattern, name, expected) => expect(fits(pattern, name)).toBe(expected));

  it('fit as the regular expression of the same meaning says, also where that would take for ever', () => {
    const part = fc.stringMatching(/^[ab*?]{0,8}$/);
    fc.assert(
      fc.property(part, fc.stringMatching(/^[ab]{0,12}$/), (pattern, name) => {
        const regular = new RegExp(`^${pattern.replace(/[*]+/g, '.*').replaceAll('?', '.')}$`);
        expect(fits(pattern, name)).toBe(regular.test(name));
      }),
    );
    expect(fits(`${'*a'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});
