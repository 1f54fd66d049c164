/** `init`: what it writes for real folders finds what is in them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS, FINDERS } from '../../checks/index.js';
import { initCommand } from '../../src/commands/init.js';
import { generalise } from '../../src/drill/init/look.js';
import { loadDrillPolicy } from '../../src/drill/policy/load.js';
import { listSources } from '../../src/drill/sources/index.js';
import { capture } from '../commands/streams.js';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'snapproof-init-'));
});
afterEach(() => rmSync(place, { recursive: true }));

function image(path: string): void {
  mkdirSync(join(place, path, '..'), { recursive: true });
  const bytes = Buffer.alloc(1024);
  bytes.write('\x55\xaa', 510, 'latin1');
  writeFileSync(join(place, path), bytes);
}

/** Machines and paths that the written policy finds. */
async function found(...folders: string[]): Promise<string[]> {
  const out = join(place, 'drill.yaml');
  const { streams } = capture();
  await initCommand({ folders: folders.map((folder) => join(place, folder)), out }, { checks: CHECKS, finders: FINDERS }, streams);
  const policy = await loadDrillPolicy(out, CHECKS);
  const { candidates } = await listSources(policy.sources, async () => ({ candidates: [], notes: [] }), new AbortController().signal);
  return candidates.map(({ machine, takenAt, path }) => `${machine} ${takenAt ? 'dated' : 'undated'} ${path.slice(place.length + 1)}`).sort();
}

describe('init', () => {
  it('machines with their times below', async () => {
    for (const path of ['b/web/2026-11-20/a.raw', 'b/web/2026-11-21/a.raw', 'b/db/20261120-0100/a.raw']) image(path);
    expect(await found('b')).toEqual(['db dated b/db/20261120-0100', 'web dated b/web/2026-11-20', 'web dated b/web/2026-11-21']);
  });

  it('machine and time in one name, of folders and of images', async () => {
    for (const path of ['b/web-2026-11-20/a.raw', 'c/db_20261120T010000Z.qcow2', 'c/web_20261120T010000Z.qcow2']) image(path);
    expect(await found('b', 'c')).toEqual(['db dated c/db_20261120T010000Z.qcow2', 'web dated b/web-2026-11-20', 'web dated c/web_20261120T010000Z.qcow2']);
  });

  it('one machine with times, one restore point, and Proxmox', async () => {
    for (const path of ['only/2026-11-20/a.raw', 'point/a.raw', 'dump/vzdump-qemu-7-2026_11_20-01_00_00/a.raw']) image(path);
    expect(await found('only', 'point', 'dump')).toEqual([
      'only dated only/2026-11-20',
      'point undated point',
      'vm-7 dated dump/vzdump-qemu-7-2026_11_20-01_00_00',
    ]);
  });

  it('writes nothing where nothing is found, and never over a file', async () => {
    mkdirSync(join(place, 'empty'));
    await expect(found('empty')).rejects.toThrow(/no restore point was found/);
    image('b/web/a.raw');
    writeFileSync(join(place, 'drill.yaml'), 'mine');
    await expect(found('b')).rejects.toThrow(/is there already/);
  });
});

it.each([
  [['web', '2026-11-20'], '{machine}/{takenAt}'],
  [['web', 'snap-20261120-010203'], '{machine}/snap-{takenAt}'],
  [['web-2026-11-20'], '{machine}-{takenAt}'],
  [['site', 'web', 'weekly'], '*/{machine}/*'],
  [['web'], '{machine}'],
  [['web.qcow2'], '{machine}.qcow2'],
])('%j is taken as %s', (parts, template) => expect(generalise(parts)).toBe(template));
