import { expect, test } from 'vitest';
import { parseChunkTree, translateExtents } from '../../src/labs/appliance/btrfs-chunks.js';

const chunk = (logical: number, type: string, ...stripes: [devid: number, offset: number][]) => `
\titem 3 key (FIRST_CHUNK_TREE CHUNK_ITEM ${logical}) itemoff 15901 itemsize 112
\t\tlength 1000 owner 2 stripe_len 65536 type ${type}
\t\tio_align 65536 io_width 65536 sector_size 4096
\t\tnum_stripes ${stripes.length} sub_stripes 1
${stripes.map(([devid, offset], i) => `\t\t\tstripe ${i} devid ${devid} offset ${offset}\n\t\t\tdev_uuid 0`).join('\n')}`;

const TREE = `chunk tree
${chunk(5000, 'DATA|single', [1, 100])}
${chunk(6000, 'DATA|single', [2, 300])}
${chunk(7000, 'DATA|RAID1', [2, 700], [1, 900])}
${chunk(8000, 'DATA|RAID0', [1, 0], [2, 0])}`;
const chunksOf = (devid: number) => parseChunkTree(`dev_item.devid\t\t${devid}\n${TREE}`);

test('only copies on the device itself count', () => {
  expect(chunksOf(1).map(({ logical, deviceOffset }) => [logical, deviceOffset])).toEqual([
    [5000, 100],
    [7000, 900],
  ]);
  expect(chunksOf(2).map(({ logical, deviceOffset }) => [logical, deviceOffset])).toEqual([
    [6000, 300],
    [7000, 700],
  ]);
  expect(parseChunkTree(TREE)).toEqual([]);
});

test('an extent is cut at the end of a chunk; one in a chunk elsewhere is not mapped', () => {
  const extent = (deviceOffset: number, lengthBytes: number) => [{ offset: 0, lengthBytes, deviceOffset }];
  expect(translateExtents(extent(7990, 10), chunksOf(2))).toEqual([{ offset: 0, lengthBytes: 10, deviceOffset: 1690 }]);
  expect(translateExtents(extent(6990, 20), chunksOf(2))).toEqual([
    { offset: 0, lengthBytes: 10, deviceOffset: 1290 },
    { offset: 10, lengthBytes: 10, deviceOffset: 700 },
  ]);
  expect(translateExtents(extent(6990, 20), chunksOf(1))).toBeNull();
});
