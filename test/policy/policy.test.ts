import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SERVICE_PROBES } from '../../checks/machine/services/all.js';
import { UsageError } from '../../src/errors.js';
import { DEFAULT_POLICY, loadPolicy, policySchema } from '../../src/policy/index.js';
import { testFolder } from '../images/make.js';

const checks = [
  { id: 'image/structure', optionsSchema: { type: 'object', additionalProperties: false, properties: { memoryMiB: { type: 'integer' } } } },
  { id: 'postgresql/pages', optionsSchema: { type: 'object', additionalProperties: false, properties: {} } },
];

async function load(text: string, name = 'policy.yaml', overrides = {}) {
  const file = join(await testFolder(), name);
  await writeFile(file, text);
  return { file, policy: loadPolicy(file, overrides, checks) };
}

describe('loadPolicy', () => {
  it('gives the defaults without a file', async () => {
    expect(await loadPolicy(null, {}, checks)).toEqual(DEFAULT_POLICY);
    expect(DEFAULT_POLICY).toMatchObject({
      depth: 'recovery',
      engine: 'auto',
      limits: { overlayBytes: 21_474_836_480, checkTimeoutMs: 900_000, applianceMemoryMiB: 1280 },
    });
  });

  it('puts the file over the defaults, and the command line over the file', async () => {
    const text =
      'depth: static\nskip: [postgresql]\nallowedFolders: [../base, /srv/store]\nlimits:\n  overlayBytes: 2000000\noptions:\n  image/structure:\n    memoryMiB: 512\n';
    const { file, policy } = await load(text, 'policy.yaml', { depth: 'full', limits: { checkTimeoutMs: 5000 } });
    expect(await policy).toEqual({
      ...DEFAULT_POLICY,
      depth: 'full',
      skip: ['postgresql'],
      allowedFolders: [join(file, '../../base'), '/srv/store'],
      options: { 'image/structure': { memoryMiB: 512 } },
      limits: { overlayBytes: 2_000_000, checkTimeoutMs: 5000, applianceMemoryMiB: 1280 },
    });
  });

  it('takes what must be true in the data', async () => {
    const text =
      'expect:\n  - name: orders\n    engine: postgresql\n    database: shop\n    query: |\n      select count(*) from orders\n    atLeast: 1\n  - engine: sqlite\n    query: select 1\n    equals: null\n  - file: /var/dump\n    maxAge: 24h\n    minSize: 1\n';
    expect((await (await load(text)).policy).expect).toEqual([
      { name: 'orders', engine: 'postgresql', database: 'shop', query: 'select count(*) from orders\n', atLeast: 1 },
      { engine: 'sqlite', query: 'select 1', equals: null },
      { file: '/var/dump', maxAge: '24h', minSize: 1 },
    ]);
  });

  it('takes what the guest must offer', async () => {
    const text = 'services:\n  - protocol: https\n    address: 10.0.0.5\n  - name: the shop\n    protocol: tcp\n    port: 8080\n    required: false\n';
    expect((await (await load(text)).policy).services).toEqual([
      { protocol: 'https', address: '10.0.0.5' },
      { name: 'the shop', protocol: 'tcp', port: 8080, required: false },
    ]);
  });

  it('knows every protocol that can be asked, and no other', () => {
    const { enum: named } = (policySchema as { definitions: { service: { properties: { protocol: { enum: string[] } } } } }).definitions.service.properties
      .protocol;
    expect([...named].sort()).toEqual(SERVICE_PROBES.map(({ name }) => name).sort());
  });

  it('reads JSON, and an empty file', async () => {
    expect((await (await load('{"depth": "boot"}', 'policy.json')).policy).depth).toBe('boot');
    expect(await (await load('# nothing\n')).policy).toEqual(DEFAULT_POLICY);
  });

  it.each([
    ['depht: static', /line 1: unknown field "depht" \(did you mean "depth"\?\)/],
    ['only: []\ndepth: statc', /line 2: field "depth" is "statc".*did you mean "static"/],
    ['limits:\n  overlayBytes: much', /line 2: field "limits.overlayBytes" is "much"; it must be of type integer/],
    ['skip: [postgres]', /line 1: there is no check or family "postgres"/],
    ['only:\n  - image\n  - image/strcture', /line 3: there is no check or family "image\/strcture"; did you mean "image\/structure"\?/],
    ['options:\n  image/nothing: {}', /line 2: there is no check or family "image\/nothing"/],
    ['options:\n  image/structure:\n    memory: 1', /line 3: options of image\/structure: unknown field "memory"/],
    ['depth: [', /line 1: not valid YAML/],
    ['depth: static\ndepth: boot', /line 2: not valid YAML: Map keys must be unique/],
    ['a: &a [1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]', /not usable|unknown field/],
    ['- a list', /must be of type object/],
    ['services:\n  - protocol: htp', /line 2: field "services.0.protocol" is "htp".*did you mean "http"/],
    ['services:\n  - protocol: tcp', /line 2: service 1: a service of protocol "tcp" needs a port/],
    ['services:\n  - protocol: ssh\n  - protocol: ssh\n    address: web.example', /line 3: service 2: "web.example" is no IP address/],
    ['services:\n  - protocol: ssh\n    port: 0', /line 3: field "services.0.port"/],
    ['services:\n  - port: 22', /line 2: field "services.0" lacks the field "protocol"/],
    [
      'expect:\n  - engine: sqlite\n    query: select 1',
      /line 2: expectation 1: it says nothing to hold the answer against: give equals, atLeast, atMost or rows/,
    ],
    ['expect:\n  - engine: sqlite\n    query: select 1\n    atLeast: 3\n    atMost: 2', /expectation 1: atLeast \(3\) is more than atMost \(2\)/],
    ['expect:\n  - engine: sqlite\n    query: select 1\n    atLeast: 3\n    rows: 2', /"rows" can only be 1/],
    ['expect:\n  - query: select 1\n    atLeast: 3', /line 2: field "expect.0" lacks the field "engine"/],
    ['expect:\n  - engine: sqlite\n    query: select 1\n    atleast: 3', /line 4: unknown field "atleast" in "expect.0" \(did you mean "atLeast"\?\)/],
    ['expect:\n  - engine: sqlite\n    query: " .shell reboot"\n    rows: 0', /line 3: field "expect.0.query" is " .shell reboot"/],
    ['expect:\n  - engine: postgresql\n    query: \\! reboot\n    rows: 0', /line 3: field "expect.0.query"/],
    ['expect:\n  - file: var/dump\n', /line 2: field "expect.0.file" is "var\/dump"/],
    ['expect:\n  - file: /var/dump\n    maxage: 24h', /line 3: unknown field "maxage" in "expect.0" \(did you mean "maxAge"\?\)/],
    ['expect:\n  - file: /var/dump\n    maxAge: one day', /line 3: field "expect.0.maxAge" is "one day"/],
  ])('refuses %s', async (text, message) => {
    const { file, policy } = await load(text);
    const error = await policy.catch((caught) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(file);
  });

  it('names a policy file that is not there, and a check named wrongly on the command line', async () => {
    await expect(loadPolicy('/nowhere/policy.yaml', {}, checks)).rejects.toThrow('the policy file /nowhere/policy.yaml does not exist');
    await expect(loadPolicy(null, { only: ['postgresq'] }, checks)).rejects.toThrow(
      'the command line: there is no check or family "postgresq"; did you mean "postgresql"?',
    );
  });
});
