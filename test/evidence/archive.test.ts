import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { END_OF_ARCHIVE, padding, readHeader, tarHeader } from '../../src/evidence/archive/tar.js';
import { type ArchiveManifest, type ArchiveVerification, anchorsOf, boundOf, exportArchive, openSigner, verifyArchive } from '../../src/evidence/index.js';
import { ARTEFACT_FOLDER, artefactPath, keepArtefact, openLedger } from '../../src/ledger/index.js';
import { sampleDrill, sampleSignOff, sampleTimestamp } from '../ledger/documents.js';
import { failed, inconclusive, passed } from '../reporters/records.js';
import { newState, type TestState, withKey } from './state.js';

let state: TestState;
let keyId: string;
let folder: string;
let archive: string;
let manifest: ArchiveManifest;

beforeAll(async () => {
  state = newState();
  folder = mkdtempSync(join(tmpdir(), 'snapproof-archive-'));
  keyId = await withKey(state);
  const recorder = await state.recorder();
  const screen = await keepArtefact(join(state.stateFolder, ARTEFACT_FOLDER), 'screen.png', 'image/png', Buffer.from('not really a picture'));
  const gone = { ...screen, sha256: 'e'.repeat(64) };
  const other = { ...passed, id: 'other', restorePoint: { ...passed.restorePoint, machine: 'web1' } };
  for (const document of [{ ...passed, artefacts: [screen, gone] }, failed, inconclusive, other, sampleDrill('d1'), sampleSignOff('s1', failed.id)])
    await recorder.append(document);
  const head = recorder.ledger.head();
  await recorder.append(sampleTimestamp('t1', { headSeq: head.count, headHash: head.hash }));
  recorder.close();
  archive = join(folder, 'all.tar.gz');
  manifest = await make(archive);
});
afterAll(() => {
  state.remove();
  rmSync(folder, { recursive: true });
});

async function make(out: string, selection: Partial<ArchiveManifest['selection']> = {}, signed = true): Promise<ArchiveManifest> {
  const ledger = openLedger(state.stateFolder);
  try {
    const signer = signed ? await openSigner(ledger, state) : null;
    return await exportArchive(ledger, { stateFolder: state.stateFolder, selection: { from: null, to: null, machine: null, ...selection }, out, signer });
  } finally {
    ledger.close();
  }
}

const verify = (path: string, named: string[] = []): Promise<ArchiveVerification> => verifyArchive(path, anchorsOf(named));

/** Files of a tar, in its order. */
function filesOf(path: string): [string, Buffer][] {
  const tar = gunzipSync(readFileSync(path));
  const files: [string, Buffer][] = [];
  for (let at = 0; ; ) {
    const header = readHeader(tar.subarray(at, at + 512));
    if (!header) return files;
    files.push([header.name, tar.subarray(at + 512, at + 512 + header.sizeBytes)]);
    at += 512 + header.sizeBytes + padding(header.sizeBytes).length;
  }
}

function pack(name: string, files: [string, Buffer | string][]): string {
  const parts = files.flatMap(([file, content]) => [tarHeader(file, Buffer.byteLength(content)), Buffer.from(content), padding(Buffer.byteLength(content))]);
  return packRaw(name, Buffer.concat([...parts, END_OF_ARCHIVE]));
}

function packRaw(name: string, tar: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, gzipSync(tar));
  return path;
}

/** With the digests made anew: what only signatures and the chain can find. */
function withSums(files: [string, Buffer][]): [string, Buffer][] {
  const sums = files.filter(([name]) => !name.includes('SHA256SUMS'));
  const text = sums.map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name.replace('snapproof-evidence/', '')}\n`).join('');
  return files.map(([name, content]) => [name, name.endsWith('/SHA256SUMS') ? Buffer.from(text) : content]);
}

describe('an archive', () => {
  it('holds what was stored, and verifies without the ledger', async () => {
    expect(manifest.documents.map(({ kind }) => kind)).toEqual(['key', 'record', 'record', 'record', 'record', 'drill', 'sign-off', 'timestamp']);
    expect(manifest.missingArtefacts).toEqual(['e'.repeat(64)]);
    const found = await verify(archive, [keyId]);
    expect(found.problems).toEqual([]);
    expect(found).toMatchObject({ ok: true, documents: 8, artefacts: 1, timestamps: 1, sealedBy: keyId, head: manifest.head });
    expect(found.signatures).toMatchObject({ signed: 8, unsigned: 0, problems: [] });
    expect((await verify(archive)).ok).toBe(true);
    expect((await verifyArchive(archive, anchorsOf([]), { head: '1'.repeat(64) })).ok).toBe(false);
  });
  it('is made again byte for byte, but for its time', async () => {
    const again = join(folder, 'again.tar.gz');
    await make(again);
    const changing = ['manifest.json', 'SHA256SUMS', 'SHA256SUMS.dsse.json'].map((name) => `snapproof-evidence/${name}`);
    const fixed = (path: string): [string, Buffer][] => filesOf(path).filter(([name]) => !changing.includes(name));
    expect(fixed(again)).toEqual(fixed(archive));
    expect(statSync(again).mode & 0o777).toBe(0o600);
  });
  it('can be about one machine: what is about others stays out, and the chain still holds', async () => {
    const path = join(folder, 'machine.tar.gz');
    const { documents } = await make(path, { machine: 'web1' });
    expect(documents.map(({ id }) => id)).toEqual([expect.stringContaining('key-'), 'other', 't1']);
    expect(await verify(path)).toMatchObject({ ok: true, documents: 3 });
    expect(
      filesOf(path)
        .map(([, content]) => content.toString('latin1'))
        .join(''),
    ).not.toContain('"machine":"db1"');
  });
  it('can be about a time; keys and time stamps always belong to it', async () => {
    const path = join(folder, 'time.tar.gz');
    const { documents } = await make(path, { to: '2020-01-01T00:00:00.000Z' });
    expect(documents.map(({ kind }) => kind)).toEqual(['key', 'timestamp']);
    expect((await verify(path)).ok).toBe(true);
  });
  it('without a signature of its own says so', async () => {
    const path = join(folder, 'unsigned.tar.gz');
    await make(path, {}, false);
    expect(await verify(path)).toMatchObject({ ok: true, sealedBy: null });
  });
  it('is never written over another file, and leaves nothing when it cannot be made', async () => {
    await expect(make(archive)).rejects.toMatchObject({ code: 'usage.out', exitCode: 2 });
    await expect(make(join(folder, 'no/such/folder.tar.gz'))).rejects.toMatchObject({ code: 'usage.out' });
    const kept = artefactPath(join(state.stateFolder, ARTEFACT_FOLDER), createHash('sha256').update('not really a picture').digest('hex'));
    rmSync(kept);
    execFileSync('mkdir', [kept]);
    await expect(make(join(folder, 'broken.tar.gz'))).rejects.toThrow();
    execFileSync('rmdir', [kept]);
    writeFileSync(kept, 'not really a picture');
    expect(readdirSync(folder).filter((name) => name.includes('broken'))).toEqual([]);
  });
  it('is not made of a ledger that does not verify', async () => {
    const broken = newState();
    const recorder = await broken.recorder();
    await recorder.append(passed);
    recorder.close();
    broken.tamper("UPDATE entries SET record = replace(record, 'db1', 'db2')");
    const ledger = openLedger(broken.stateFolder);
    const out = join(folder, 'never.tar.gz');
    const selection = { from: null, to: null, machine: null };
    await expect(exportArchive(ledger, { stateFolder: broken.stateFolder, selection, out, signer: null })).rejects.toMatchObject({ exitCode: 5 });
    ledger.close();
    broken.remove();
    expect(existsSync(out)).toBe(false);
  });
});

describe('VERIFY.md', () => {
  const commands = (): string[] => {
    const [, guide] = filesOf(archive).find(([name]) => name.endsWith('VERIFY.md')) ?? [];
    return [...String(guide).matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
  };
  function run(change: (place: string) => void): string {
    const place = mkdtempSync(join(folder, 'extracted-'));
    execFileSync('tar', ['-xzf', archive, '-C', place]);
    change(join(place, 'snapproof-evidence'));
    return execFileSync('sh', ['-eu'], {
      cwd: join(place, 'snapproof-evidence'),
      input: commands().join('\n'),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }
  it('has commands that verify all of it, as they stand', () => {
    const said = run(() => {});
    expect(said.match(/^ok: .*/gm)).toHaveLength(commands().length);
    expect(said).toContain(`its head is ${manifest.head.hash}`);
    expect(said).toContain('"failed"');
  });
  const replace = (path: string, from: string, to: string): void => writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  const resum = (place: string): void => {
    execFileSync('sh', ['-c', 'find . -type f ! -name "SHA256SUMS*" | sed "s,^./,," | xargs sha256sum > SHA256SUMS; rm SHA256SUMS.dsse.json'], { cwd: place });
  };
  it.each<[string, (place: string) => void]>([
    ['a changed document', (place) => replace(join(place, 'documents/000000003.json'), '"failed"', '"passed"')],
    [
      'a changed document with new digests',
      (place) => {
        replace(join(place, 'documents/000000003.json'), '"verdict":"failed"', '"verdict":"passed"');
        resum(place);
      },
    ],
    [
      'a changed chain with new digests',
      (place) => {
        replace(join(place, 'chain.jsonl'), '"recordId":"other"', '"recordId":"othar"');
        resum(place);
      },
    ],
    [
      'a changed signature with new digests',
      (place) => {
        const name = readdirSync(join(place, 'envelopes')).find((file) => file.startsWith('000000002.record')) ?? '';
        const path = join(place, 'envelopes', name);
        const envelope = JSON.parse(readFileSync(path, 'utf8'));
        const sig = Buffer.from(envelope.signatures[0].sig, 'base64');
        sig.writeUInt8(sig.readUInt8(5) ^ 1, 5);
        envelope.signatures[0].sig = sig.toString('base64');
        writeFileSync(path, JSON.stringify(envelope));
        resum(place);
      },
    ],
    ['a file that was put in', (place) => writeFileSync(join(place, 'documents/000000099.json'), '{}')],
  ])('finds %s', (_what, change) => {
    expect(() => run(change)).toThrow();
  });
});

describe('what was done to an archive', () => {
  it('is found wherever a byte of its content changes', async () => {
    const tar = gunzipSync(readFileSync(archive));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: tar.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const changed = Buffer.from(tar);
        changed.writeUInt8(changed.readUInt8(at) ^ difference, at);
        expect((await verify(packRaw('changed.tar.gz', changed))).ok).toBe(false);
      }),
      { numRuns: 150, seed: 20261120 },
    );
  }, 60_000);
  it('is found in every kind of file', async () => {
    const files = filesOf(archive);
    const kinds = new Map(files.map(([name], index) => [name.replace(/[^/]*\d{3,}[^/]*$|[0-9a-f]{64}/, 'N'), index]));
    expect([...kinds.keys()].length).toBeGreaterThanOrEqual(14);
    for (const index of kinds.values()) {
      const changed = files.map(([name, content], place): [string, Buffer] => [name, place === index ? flipped(content) : content]);
      expect([changed[index]?.[0], (await verify(pack('kind.tar.gz', changed))).ok]).toEqual([changed[index]?.[0], false]);
    }
  });
  it('is found in its compressed bytes, or changes nothing', async () => {
    const packed = readFileSync(archive);
    const path = join(folder, 'packed.tar.gz');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const changed = Buffer.from(packed);
        changed.writeUInt8(changed.readUInt8(at) ^ difference, at);
        writeFileSync(path, changed);
        const { ok } = await verify(path);
        expect(ok && !gunzipSync(changed).equals(gunzipSync(packed))).toBe(false);
      }),
      { numRuns: 100, seed: 20261120 },
    );
  }, 60_000);
  it('is found when digests are made anew: by the signature of the whole', async () => {
    for (const [name] of filesOf(archive)) {
      if (/SHA256SUMS/.test(name)) continue;
      const rest = withSums(filesOf(archive).filter(([other]) => other !== name));
      expect([name, (await verify(pack('less.tar.gz', rest))).ok]).toEqual([name, false]);
    }
  });
  it('is found with new digests and without that signature: by the chain and the signatures of documents', async () => {
    const unsealed = filesOf(archive).filter(([name]) => !name.endsWith('SHA256SUMS.dsse.json'));
    expect((await verify(pack('unsealed.tar.gz', unsealed))).ok).toBe(true);
    const kinds = ['documents/000000003', 'envelopes/000000003', 'chain.jsonl', 'keys/', 'timestamps/', 'artefacts/'];
    for (const kind of kinds) {
      const changed = unsealed.map(([name, content]): [string, Buffer] => [name, name.includes(kind) ? flipped(content) : content]);
      expect([kind, (await verify(pack('forged.tar.gz', withSums(changed)))).ok]).toEqual([kind, false]);
    }
  });
  it.each([1, 100, 600, 5000])('is found when its last %i bytes are missing', async (bytes) => {
    const path = join(folder, 'short.tar.gz');
    writeFileSync(path, readFileSync(archive).subarray(0, -bytes));
    expect((await verify(path)).problems.length).toBeGreaterThan(0);
  });
  it('is found when something follows it', async () => {
    const path = join(folder, 'long.tar.gz');
    for (const more of [Buffer.from('x'), gzipSync('x'), Buffer.alloc(5000)]) {
      writeFileSync(path, Buffer.concat([readFileSync(archive), more]));
      expect((await verify(path)).problems.join()).toMatch(/follows its end|compression/);
    }
  });
});

function flipped(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  const at = Math.floor(content.length / 2);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}

describe('an archive from an enemy', () => {
  const header = (change: (block: Buffer) => void): Buffer => {
    const block = tarHeader('snapproof-evidence/VERIFY.md', 0);
    change(block);
    block.fill(' ', 148, 156);
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return block;
  };
  it.each<[string, (block: Buffer) => void, string]>([
    ['a symbolic link', (block) => block.write('2', 156), 'a symbolic link'],
    ['a hard link', (block) => block.write('1', 156), 'a hard link'],
    ['a device', (block) => block.write('3', 156), 'a device'],
    ['a folder', (block) => block.write('5', 156), 'a folder'],
    ['a long name', (block) => block.write('L', 156), 'an entry'],
    ['another mode', (block) => block.write('0004755\0', 100), 'an entry'],
    ['a negative size', (block) => block.write('-0000000001', 124), 'an entry'],
    ['a size in base 256', (block) => block.writeUInt8(0x80, 124), 'an entry'],
  ])('with %s is refused', async (_what, change, word) => {
    const [problem = ''] = (await verify(packRaw('enemy.tar.gz', Buffer.concat([header(change), END_OF_ARCHIVE])))).problems;
    expect(problem).toContain(`holds ${word} that snapproof does not write`);
  });
  it.each([
    '../../etc/passwd',
    '/etc/passwd',
    'snapproof-evidence/../x',
    'snapproof-evidence/documents/1.json',
    'snapproof-evidence/x',
    'constructor',
    'snapproof-evidence/constructor',
  ])('with the name %s is refused', async (name) => {
    const block = tarHeader('x', 0);
    const path = packRaw('name.tar.gz', Buffer.concat([name.startsWith('snap') ? tarHeader(name, 0) : withName(block, name), END_OF_ARCHIVE]));
    expect((await verify(path)).problems[0]).toContain('that snapproof does not write');
  });
  function withName(block: Buffer, name: string): Buffer {
    block.write(name, 0);
    block.fill(' ', 148, 156);
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return block;
  }
  it('that says a huge size is refused before its bytes are taken', async () => {
    const path = packRaw('size.tar.gz', Buffer.concat([tarHeader('snapproof-evidence/manifest.json', 8 ** 11 - 1), Buffer.alloc(100_000)]));
    expect((await verify(path)).problems[0]).toContain('at most');
  });
  it('that swells without end is refused', async () => {
    const bomb = Buffer.concat([tarHeader(`snapproof-evidence/artefacts/${'a'.repeat(64)}`, 400e6), Buffer.alloc(400e6)]);
    const [problem] = (await verify(packRaw('bomb.tar.gz', bomb))).problems;
    expect(problem).toContain('swells');
  });
  it('that holds a file twice is refused', async () => {
    const [first] = filesOf(archive);
    expect((await verify(pack('twice.tar.gz', first ? [first, first] : []))).problems[0]).toContain('twice');
  });
  it('that is anything else gives a problem and no exception', async () => {
    const path = join(folder, 'any');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.uint8Array().map((bytes) => gzipSync(bytes)),
        ),
        async (bytes) => {
          writeFileSync(path, bytes);
          expect((await verify(path)).problems.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('bounds', () => {
  it('are days or instants', () => {
    expect(boundOf('2026-11-30', '--from')).toBe('2026-11-30T00:00:00.000Z');
    expect(boundOf('2026-11-30', '--to')).toBe('2026-11-30T23:59:59.999Z');
    expect(boundOf('2026-11-30T12:00:00+02:00', '--to')).toBe('2026-11-30T10:00:00.000Z');
    expect(boundOf(undefined, '--to')).toBeNull();
    for (const wrong of ['yesterday', '2026-02-31', '2026-11-30T25:00:00Z', '30.11.2026', '']) expect(() => boundOf(wrong, '--from')).toThrow('does not know');
  });
});
