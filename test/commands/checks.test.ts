import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Check, defineCheck } from '../../src/check.js';
import { type CheckLibrary, checksCommand } from '../../src/commands/checks.js';
import { capture } from './streams.js';

function check(id: string, lab: Check['lab']): Check {
  return defineCheck<unknown, unknown>({
    id,
    title: 'Every page carries the checksum of its own bytes',
    failureTitle: 'Pages do not carry the checksum of their own bytes',
    description: 'Proves that no page was torn or changed after the engine wrote it.',
    stage: 'static',
    depth: 'static',
    targetKind: 'instance',
    lab,
    timeoutMs: 120_000,
    optionsSchema: { type: 'object', properties: { samplePercent: { type: 'number' } } },
    defaultOptions: { samplePercent: 100 },
    skipReason: () => null,
    collect: async () => null,
    evaluate: () => ({ outcome: 'pass', summary: '', findings: [], tested: [], untested: [] }),
  });
}

const README = `# postgresql/page-checksums

Reads **every** page and computes its checksum (see [the source](https://www.postgresql.org/docs/15/checksums.html) and [below](#how)), which
is \`FNV-1a\` with a twist.

## Fails when

- a page is torn, for which there is a rather long explanation that needs more than one line to be told in full
- \`pd_checksum\` is wrong
  and stays so
1. first

| option | default |
|---|---|
| samplePercent | 100 |

\`\`\`
snapproof verify   --only postgresql
\`\`\`
`;

const library: CheckLibrary = {
  checks: [check('sqlite/integrity', 'sandbox'), check('postgresql/recovery', 'appliance'), check('postgresql/page-checksums', 'none')],
  readReadme: async (id) => (id === 'postgresql/page-checksums' ? README : null),
};

async function run(options: { id?: string; json?: boolean }): Promise<string> {
  const { streams, out } = capture();
  expect(await checksCommand(options, library, streams)).toBe(0);
  return out();
}

describe('checks', () => {
  it('lists all, sorted', async () => {
    await expect(await run({})).toMatchFileSnapshot(join(import.meta.dirname, 'golden/checks.txt'));
  });
  it('lists a family', async () => {
    const text = await run({ id: 'postgresql' });
    expect(text).toContain('2 checks.');
    expect(text).not.toContain('sqlite');
  });
  it('explains one, with its README and its options', async () => {
    await expect(await run({ id: 'postgresql/page-checksums' })).toMatchFileSnapshot(join(import.meta.dirname, 'golden/check.txt'));
  });
  it('gives one JSON document', async () => {
    const document = JSON.parse(await run({ id: 'postgresql/page-checksums', json: true })) as { checks: unknown[] };
    expect(document).toMatchObject({
      schema: 'snapproof.checks/v1',
      readme: README,
      checks: [{ id: 'postgresql/page-checksums', lab: 'none', depth: 'static' }],
    });
    expect((JSON.parse(await run({ json: true })) as { checks: unknown[] }).checks).toHaveLength(3);
  });
  it('refuses an unknown one, and says what is near', async () => {
    const unknown = (id: string) => checksCommand({ id }, library, capture().streams);
    await expect(unknown('postgresql/recover')).rejects.toMatchObject({ exitCode: 2, advice: expect.stringContaining('postgresql/recovery') });
    await expect(unknown('oracle\u001b[2J')).rejects.toMatchObject({
      message: 'There is no check "oracle\\x1b[2J".',
      advice: 'Run "snapproof checks" for the list.',
    });
  });
});
