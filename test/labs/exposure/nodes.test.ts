import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { type BlockNode, capturedNodeName, capturedNodes, nestedNode, overlayNodes } from '../../../src/labs/exposure/block-nodes.js';
import { parseImageMap } from '../../../src/labs/exposure/image-map.js';
import type { ImageFormat, ImageLayer, SnapshotImage } from '../../../src/types.js';

const layer = (path: string, format: ImageFormat, details = {}): ImageLayer => ({
  ...{ path, format, sizeBytes: 1, virtualSizeBytes: 1, promisedBytes: 1, backingPath: null, details },
});
const image = (...layers: ImageLayer[]): SnapshotImage => ({
  ...{ name: 'disk0', format: layers[0]?.format ?? 'raw', virtualSizeBytes: 1, layers, internalSnapshots: [], refused: null },
});
const SERVER = { kind: 'nbd', socketPath: '/s', exportName: 'disk0' } as const;

describe('block nodes', () => {
  const chain = image(layer('/top.qcow2', 'qcow2'), layer('/base.vmdk', 'vmdk'));

  it('state every format and every backing link, so that no header is followed', () => {
    expect(capturedNodes(chain)).toEqual([
      { driver: 'file', filename: '/base.vmdk', 'node-name': 'disk0-l1-file', 'read-only': true },
      { driver: 'vmdk', file: 'disk0-l1-file', 'node-name': 'disk0-l1', 'read-only': true, backing: null },
      { driver: 'file', filename: '/top.qcow2', 'node-name': 'disk0-l0-file', 'read-only': true },
      { driver: 'qcow2', file: 'disk0-l0-file', 'node-name': 'disk0-l0', 'read-only': true, backing: 'disk0-l1' },
    ]);
    expect(capturedNodeName(chain)).toBe(capturedNodes(chain).at(-1)?.['node-name']);
  });

  it('give no backing to formats that know none, and a driver of its own to a device', () => {
    const [file, node] = capturedNodes(image(layer('/dev/loop0', 'raw', { device: true })));
    expect(file?.driver).toBe('host_device');
    expect(node).not.toHaveProperty('backing');
  });

  it('write to the overlay alone', () => {
    const writable = [...capturedNodes(chain), ...overlayNodes(chain, '/over.qcow2')].filter((node) => node['read-only'] !== true);
    expect(writable.map((node) => node['node-name'])).toEqual(['disk0-overlay-file', 'disk0-overlay']);
    expect(writable[1]).toMatchObject({ driver: 'qcow2', backing: 'disk0-l0' });
  });

  it('nest for a tool that runs once', () => {
    const top = nestedNode(chain, '/over.qcow2');
    expect(top).toMatchObject({ driver: 'qcow2', 'force-share': true, backing: { driver: 'qcow2', backing: { driver: 'vmdk', backing: null } } });
    expect((nestedNode(chain, null).file as BlockNode).filename).toBe('/top.qcow2');
  });
});

describe('the map of an image', () => {
  const run = (start: number, length: number, more = {}) => ({ start, length, depth: 0, zero: false, data: true, ...more });
  const map = (runs: unknown, size = 100) => parseImageMap(JSON.stringify(runs), size, ['/top', '/base'], SERVER);

  it('names the file of each run, the server where there is no offset, and nothing for zeroes', () => {
    const runs = [
      run(0, 10, { offset: 7 }),
      run(10, 10, { depth: 1, offset: 0 }),
      run(20, 10),
      run(30, 10, { zero: true, offset: 5 }),
      run(40, 10, { depth: 9, offset: 1 }),
    ];
    expect(map(runs).extents).toEqual([
      { offset: 0, lengthBytes: 10, source: 0, sourceOffset: 7 },
      { offset: 10, lengthBytes: 10, source: 1, sourceOffset: 0 },
      { offset: 20, lengthBytes: 10, source: 2, sourceOffset: 20 },
      { offset: 30, lengthBytes: 10, source: null, sourceOffset: 0 },
      { offset: 40, lengthBytes: 10, source: 2, sourceOffset: 40 },
      { offset: 50, lengthBytes: 50, source: null, sourceOffset: 0 },
    ]);
  });

  it('never reaches beyond the disk', () => {
    expect(map([run(0, 4096, { offset: 0 })]).extents).toEqual([{ offset: 0, lengthBytes: 100, source: 0, sourceOffset: 0 }]);
  });

  it.each([
    ['gap', [run(5, 5)]],
    ['no list', {}],
    ['null', [null]],
    ['negative', [run(0, 10, { offset: -1 })]],
    ['no length', [run(0, 0)]],
    ['text', [run(0, 10, { depth: 'x' })]],
  ])('is refused with a %s', (_name, runs) => {
    expect(() => map(runs)).toThrow(FormatError);
  });

  it('covers the disk or is refused, whatever the tool prints', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .array(fc.record({ start: fc.nat(50), length: fc.nat(60), depth: fc.nat(3), zero: fc.boolean(), data: fc.boolean() }))
            .map((runs) => JSON.stringify(runs)),
        ),
        (text) => {
          try {
            const { extents } = parseImageMap(text, 100, ['/top'], SERVER);
            expect(extents.reduce((sum, extent) => sum + extent.lengthBytes, 0)).toBe(100);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
    );
  });
});
