import { expect, test } from 'vitest';
import { wholeSource } from '../../src/bytes/map.js';
import { volumeMap } from '../../src/bytes/volume-map.js';
import type { Exposure } from '../../src/labs/lab.js';

const exposure = {
  captured: async (disk: string) => wholeSource({ kind: 'file', path: `/${disk}.captured` }, 1000),
  current: async (disk: string) => wholeSource({ kind: 'file', path: `/${disk}.current` }, 1000),
} as unknown as Exposure;

test('a volume over two disks, as captured and as it is now', async () => {
  const placement = [
    { offset: 0, lengthBytes: 100, disk: 'disk1', diskOffset: 50 },
    { offset: 100, lengthBytes: 60, disk: 'disk0', diskOffset: 900 },
  ];
  expect(await volumeMap({ sizeBytes: 160, placement }, exposure, 'captured')).toEqual({
    sizeBytes: 160,
    sources: [
      { kind: 'file', path: '/disk1.captured' },
      { kind: 'file', path: '/disk0.captured' },
    ],
    extents: [
      { offset: 0, lengthBytes: 100, source: 0, sourceOffset: 50 },
      { offset: 100, lengthBytes: 60, source: 1, sourceOffset: 900 },
    ],
  });
  expect((await volumeMap({ sizeBytes: 160, placement }, exposure, 'current'))?.sources[0]).toEqual({ kind: 'file', path: '/disk1.current' });
});

test('no plain place gives no map', async () => expect(await volumeMap({ sizeBytes: 1, placement: null }, exposure, 'captured')).toBeNull());
