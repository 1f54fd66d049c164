import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuestRam } from '../../src/ways.js';
import { PhraseFinder, SHORTEST_PHRASE } from './phrases.js';
import { BLOCK_BYTES, scanPages } from './scan.js';

const PHRASES = ['Kernel panic - not syncing', ' blocked for more than '];

function found(bytes: Buffer): [number, number][] {
  const hits: [number, number][] = [];
  new PhraseFinder(PHRASES).find(bytes, (phrase, at) => hits.push([phrase, at]));
  return hits.sort((a, b) => a[1] - b[1]);
}

/** Pages in runs as they are given. */
function ramOf(runs: { address: number; bytes: Buffer }[]): GuestRam {
  const lengthBytes = Math.max(...runs.map(({ address, bytes }) => address + bytes.length));
  return {
    ranges: [{ address: 0, lengthBytes }],
    read: () => Promise.reject(new Error('not asked for')),
    async *pages() {
      yield* runs;
    },
  };
}

async function phrasesIn(runs: { address: number; bytes: Buffer }[]): Promise<[number, string][]> {
  const hits: [number, string][] = [];
  const plan = {
    marks: new Map(),
    phrases: PHRASES,
    onPhrase: (_: number, address: number, before: Buffer, text: Buffer) => void hits.push([address, `${before}|${text}`]),
  };
  await scanPages(ramOf(runs), plan, new AbortController().signal, () => undefined);
  return hits;
}

describe('phrases', () => {
  it('are found wherever they begin', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(PHRASES.length - 1), fc.uint8Array({ maxLength: 200 }), (before, phrase, after) => {
        const bytes = Buffer.concat([before, Buffer.from(PHRASES[phrase] as string), after, Buffer.alloc(4)]);
        expect(found(Buffer.from(new Uint8Array(bytes).buffer))).toContainEqual([phrase, before.length]);
      }),
    );
  });

  it('are not found where they are cut or changed', () => {
    const text = Buffer.from(`xxxx${(PHRASES[0] as string).slice(0, -1)}?xxxx`);
    expect(found(Buffer.from(new Uint8Array(text).buffer))).toEqual([]);
  });

  it('must be long enough for the stride', () => {
    expect(() => new PhraseFinder(['x'.repeat(SHORTEST_PHRASE - 1)])).toThrow(RangeError);
    expect(() => new PhraseFinder(['x'.repeat(SHORTEST_PHRASE)])).not.toThrow();
  });
});

describe('the pass over memory', () => {
  it('finds a phrase that reaches over the end of a run, once', async () => {
    const all = Buffer.alloc(8192, 1);
    all.write('INFO: task x:1 blocked for more than 122 seconds.', 4080);
    const runs = [
      { address: 0, bytes: all.subarray(0, 4096) },
      { address: 4096, bytes: all.subarray(4096) },
    ];
    expect((await phrasesIn(runs)).map(([address]) => address)).toEqual([4094]);
    const apart = [runs[0] as (typeof runs)[0], { address: 8192, bytes: all.subarray(4096) }];
    expect(await phrasesIn(apart)).toEqual([]);
  });

  it('gives what stands around it', async () => {
    const bytes = Buffer.alloc(4096);
    bytes.write('INFO: task x:1 blocked for more than 122 seconds.', 1000);
    const [[, text] = [0, '']] = await phrasesIn([{ address: 0, bytes }]);
    expect(text.replaceAll('\0', '')).toBe('INFO: task x:1| blocked for more than 122 seconds.');
  });

  it('looks at marks only where a block begins, and tells how much it looked at', async () => {
    const bytes = Buffer.alloc(8192, 7);
    for (const at of [0, BLOCK_BYTES, BLOCK_BYTES + 4, 8192 - BLOCK_BYTES]) bytes.writeUInt32LE(0xfeedbabe, at);
    const seen: [number, number][] = [];
    const marks = new Map([[0xfeedbabe, (address: number, rest: Buffer) => void seen.push([address, rest.length])]]);
    const scanned = await scanPages(
      ramOf([{ address: 4096, bytes }]),
      { marks, phrases: PHRASES, onPhrase: () => undefined },
      new AbortController().signal,
      () => undefined,
    );
    expect(seen).toEqual([
      [4096, 8192],
      [4096 + BLOCK_BYTES, 8192 - BLOCK_BYTES],
      [4096 + 8192 - BLOCK_BYTES, BLOCK_BYTES],
    ]);
    expect(scanned.bytes).toBe(8192);
  });

  it('ends when it is told to', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    const plan = { marks: new Map(), phrases: PHRASES, onPhrase: () => undefined };
    await expect(scanPages(ramOf([{ address: 0, bytes: Buffer.alloc(4096) }]), plan, abort.signal, () => undefined)).rejects.toThrow('enough');
  });
});
