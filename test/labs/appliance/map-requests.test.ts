import { describe, expect, it } from 'vitest';
import { MapRequests } from '../../../src/labs/appliance/map-requests.js';
import type { ByteMap, Extent, GuestLocation } from '../../../src/types.js';

const at = (path: string): GuestLocation => ({ volume: 'disk0/p1', path });

function mapOf(extents: number): ByteMap {
  const extent: Extent = { offset: 0, lengthBytes: 1, source: null, sourceOffset: 0 };
  return { sizeBytes: extents, sources: [], extents: Array.from({ length: extents }, () => extent) };
}

/** Answers from a table and notes what was asked in each call. */
function requestsOver(answers: Record<string, ByteMap | null>) {
  const calls: string[][] = [];
  const requests = new MapRequests(async (files) => {
    calls.push(files.map(({ path }) => path));
    return files.map(({ path }) => answers[path] ?? null);
  });
  return { calls, requests };
}

describe('requests for the maps of files', () => {
  it('that come at the same time go in one call, each file once, and are answered in the order asked', async () => {
    const [a, b] = [mapOf(1), mapOf(2)];
    const { calls, requests } = requestsOver({ '/a': a, '/b': b });
    const answers = await Promise.all([requests.map([at('/a'), at('/none')]), requests.map([at('/b'), at('/a')])]);
    expect(answers).toEqual([
      [a, null],
      [b, a],
    ]);
    expect(calls).toEqual([['/a', '/none', '/b']]);
  });

  it('are remembered for files of few extents only', async () => {
    const { calls, requests } = requestsOver({ '/small': mapOf(8), '/large': mapOf(9) });
    for (let i = 0; i < 2; i++) await requests.map([at('/small'), at('/large')]);
    expect(calls).toEqual([['/small', '/large'], ['/large']]);
  });

  it('all fail with their call, and are asked again', async () => {
    let calls = 0;
    const requests = new MapRequests(async (files) => {
      if (calls++ === 0) throw new Error('the appliance is gone');
      return files.map(() => mapOf(1));
    });
    const both = await Promise.allSettled([requests.map([at('/a')]), requests.map([at('/b')])]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await requests.map([at('/a')])).toEqual([mapOf(1)]);
  });
});
