import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { renderNagios } from '../../src/commands/status/nagios.js';
import { renderPrometheus } from '../../src/commands/status/prometheus.js';
import { type StatusArguments, statusCommand } from '../../src/commands/status.js';
import type { JudgedStatus } from '../../src/gate/status.js';
import { capture } from '../commands/streams.js';
import { sampleDrill, sampleSignOff } from '../ledger/documents.js';
import { parseExposition } from './exposition.js';
import { makeWorld, NOW, type RecordChanges, recordAbout, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});

const about = (machine: string, changes: RecordChanges = {}) =>
  recordAbout([{ role: 'disk', path: 'root.raw', format: 'raw', sizeBytes: 1, sha256: 'a'.repeat(64) }], { machine, ...changes });
const FAILED = { verdict: { verdict: 'failed' as const } };
const INCONCLUSIVE = { verdict: { verdict: 'inconclusive' as const } };
const BOOT = {
  way: 'boot' as const,
  verdict: 'passed' as const,
  state: 'alive' as const,
  why: '',
  secondsToService: 31,
  guestSecondsToService: 30,
  accelerator: 'kvm' as const,
};

async function status(args: StatusArguments = {}): Promise<{ code: number; text: string }> {
  const { streams, out } = capture();
  const code = await statusCommand({ state: world.state, now: NOW, ...args }, streams);
  return { code, text: out() };
}

describe('as a monitoring plugin', () => {
  it('is OK when all machines were proven lately', async () => {
    world.append(about('db1', { verdict: { ways: [BOOT] } }), about('web1'));
    expect(await status()).toEqual({
      code: 0,
      text:
        'SNAPPROOF OK - 2 machines proven | machines=2 proven=2 warning=0 critical=0 ' +
        "'age_db1'=1800s;172800;604800;0 'boot_db1'=31s;;;0 'recovery_db1'=1.5s;;;0 'recovery_bytes_db1'=4096B;;;0 " +
        "'age_web1'=1800s;172800;604800;0 'recovery_web1'=1.5s;;;0 'recovery_bytes_web1'=4096B;;;0\n",
    });
  });
  it.each<[string, RecordChanges, number, RegExp]>([
    [
      'an old proof warns',
      { startedAt: '2026-11-25T11:00:00Z' },
      1,
      /^SNAPPROOF WARNING - 0 of 1 machine proven; db1: its last proof is 2 d 1 h old \(warning: 2 d\) \|/,
    ],
    ['a very old proof is critical', { startedAt: '2026-11-01T00:00:00Z' }, 2, /^SNAPPROOF CRITICAL - .*26 d 12 h old/],
    ['a proof from the future is critical', { startedAt: '2027-11-01T00:00:00Z' }, 2, /clocks is wrong/],
    ['a failure is critical', FAILED, 2, /last verification failed/],
    ['never proven is critical', INCONCLUSIVE, 2, /never proven/],
  ])('%s', async (_what, changes, code, text) => {
    world.append(about('db1', changes));
    const got = await status();
    expect([got.code, got.text]).toEqual([code, expect.stringMatching(text)]);
  });
  it('a later failure counts more than an earlier proof, a later inconclusive run warns', async () => {
    world.append(about('db1'), about('db1', FAILED), about('web1'), about('web1', INCONCLUSIVE));
    const { code, text } = await status();
    expect([code, text.split('\n')]).toEqual([
      2,
      [
        expect.stringMatching(/^SNAPPROOF CRITICAL - 0 of 2 machines proven; db1: .* \| /),
        expect.stringMatching(/^WARNING: web1: its last verification was inconclusive/),
        '',
      ],
    ]);
    expect((await status({ machine: 'web1' })).code).toBe(1);
  });
  it('leaves controls, void drills and rejected records aside', async () => {
    const selection = { how: 'latest' as const, seed: null, population: 1, chosen: 1 };
    const rejected = about('web1');
    world.append(about('control:torn', FAILED), about('db1', { drill: { id: 'd1', selection } }), sampleDrill('d1', { verdict: 'void' }), rejected);
    world.append(sampleSignOff('s1', rejected.id, { decision: 'rejected' }));
    const { code, text } = await status();
    expect([code, text]).toEqual([2, expect.stringContaining('0 of 2 machines proven')]);
    expect(text).not.toContain('control');
  });
  it('is unknown without a ledger, without the machine, and with wrong options', async () => {
    expect(await status()).toMatchObject({ code: 3, text: expect.stringMatching(/^SNAPPROOF UNKNOWN - There is no ledger/) });
    world.append(about('db1'));
    expect((await status({ machine: 'db9' })).code).toBe(3);
    expect((await status({ warn: 'soon' })).code).toBe(3);
    expect((await status({ warn: '8d' })).code).toBe(3);
  });
  it('keeps its shape whatever a machine is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (machine) => {
        const text = renderNagios([judged(machine, 'critical')], { warnMs: 1000, criticalMs: 2000 });
        expect(text.split('\n')).toHaveLength(2);
        expect(text.split('|')).toHaveLength(2);
        const labels = [...(text.split(' | ')[1] ?? '').matchAll(/(?:'((?:[^'=]|'')+)'|([a-z_]+))=[\d.]+(?:s|B)?(?:;[\d.]*){0,3}(?: |\n)/g)];
        expect(labels.map(([whole]) => whole).join('')).toBe(text.split(' | ')[1]);
      }),
    );
  });
});

describe('for Prometheus', () => {
  it('gives what the format allows, replaced as a whole', async () => {
    world.append(about('db1', { verdict: { ways: [BOOT] } }), about('say "hi"\\\n'), about('web1', FAILED));
    const textfile = join(world.folder, 'snapproof.prom');
    expect(await status({ textfile })).toEqual({ code: 0, text: '' });
    const samples = parseExposition(await readFile(textfile, 'utf8'));
    const value = (name: string, machine: string) => samples.find((sample) => sample.name === name && sample.labels.machine === machine)?.value;
    expect(value('snapproof_last_success_timestamp_seconds', 'db1')).toBe(Date.parse('2026-11-27T11:30:00Z') / 1000);
    expect(value('snapproof_last_success_timestamp_seconds', 'say "hi"\\\n')).toBeDefined();
    expect(value('snapproof_last_success_timestamp_seconds', 'web1')).toBeUndefined();
    expect(value('snapproof_restore_seconds', 'db1')).toBe(31);
    expect(samples.find(({ labels }) => labels.machine === 'web1' && labels.verdict === 'failed')?.value).toBe(1);
    expect((await readdir(world.folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
  it('leaves the old file when the ledger cannot be read', async () => {
    await expect(status({ textfile: join(world.folder, 'x.prom') })).rejects.toMatchObject({ exitCode: 5 });
    expect(await readdir(world.folder)).toEqual([]);
  });
  it('is a valid exposition for machines of any name', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.string({ unit: 'binary' }).map((name) => name.replaceAll('\r', '')),
          { minLength: 1 },
        ),
        (machines) => {
          const samples = parseExposition(
            renderPrometheus(
              machines.map((machine) => judged(machine, 'ok')),
              3,
            ),
          );
          const named = samples.filter(({ name }) => name === 'snapproof_last_success_timestamp_seconds').map(({ labels }) => labels.machine);
          expect(named).toEqual(machines);
        },
      ),
    );
  });
  it('satisfies promtool, where it is there', (context) => {
    if (!existsSync('/usr/bin/promtool')) return context.skip('promtool (Debian package prometheus) is not there');
    const input = renderPrometheus([judged('db1', 'ok'), judged('a "b"\\c\nd', 'warning')], 3);
    expect(execFileSync('/usr/bin/promtool', ['check', 'metrics'], { input }).toString()).toBe('');
  });
});

function judged(machine: string, level: JudgedStatus['level']): JudgedStatus {
  const proven = { recordId: 'r', at: '2026-11-27T11:30:00Z', takenAt: null, restoreSeconds: { boot: 31.5 }, recoverySeconds: 1.5, recoveryBytes: 4096 };
  return {
    machine,
    lastVerdict: 'passed',
    lastVerifiedAt: '2026-11-27T11:30:00Z',
    lastRecordId: 'r',
    proven,
    broken: [],
    level,
    why: `of ${machine}`,
    ageMs: 1000,
  };
}
