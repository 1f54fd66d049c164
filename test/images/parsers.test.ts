import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { BufferSource } from '../../src/bytes/source.js';
import { FormatError } from '../../src/errors.js';
import { identifyFormat } from '../../src/images/identify.js';
import { IMAGE_FORMATS, parseImage } from '../../src/images/parse.js';
import { parseDescriptor } from '../../src/images/vmdk/descriptor.js';
import type { ByteSource, ImageFormat } from '../../src/types.js';
import { qcow2Bytes } from './qcow2-bytes.js';

const MAGICS: Record<ImageFormat, { at: number; bytes: Buffer }> = {
  raw: { at: 0, bytes: Buffer.alloc(0) },
  qcow2: { at: 0, bytes: Buffer.from('QFI\xfb\0\0\0\x03', 'latin1') },
  vmdk: { at: 0, bytes: Buffer.from('KDMV\x01\0\0\0', 'latin1') },
  vpc: { at: 0, bytes: Buffer.from('conectix', 'latin1') },
  vhdx: { at: 0, bytes: Buffer.from('vhdxfile', 'latin1') },
  vdi: { at: 64, bytes: Buffer.from([0x7f, 0x10, 0xda, 0xbe, 1, 0, 1, 0]) },
};

/** Pretends to be a very long file whose tail is zeroes; counts what is read of it. */
class EndlessSource implements ByteSource {
  readonly sizeBytes = 2 ** 50;
  bytesRead = 0;
  largestRead = 0;

  constructor(private readonly head: Buffer) {}

  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || offset + length > this.sizeBytes) throw new RangeError('outside');
    this.bytesRead += length;
    this.largestRead = Math.max(this.largestRead, length);
    const result = Buffer.alloc(length);
    if (offset < this.head.length) this.head.copy(result, 0, offset, Math.min(this.head.length, offset + length));
    return result;
  }

  async close(): Promise<void> {}
}

describe.each(IMAGE_FORMATS)('%s parser', (format) => {
  it('answers any bytes behind its magic with a header or a FormatError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        const image = Buffer.from(bytes);
        MAGICS[format].bytes.copy(image, MAGICS[format].at);
        const header = await parseImage(new BufferSource(image), format).catch((error) => error);
        if (!(header instanceof FormatError)) expect(header).toMatchObject({ format });
      }),
      { numRuns: 500 },
    );
  });

  it('reads a bounded part of an endless file in bounded pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 100, maxLength: 600 }), async (bytes) => {
        const head = Buffer.from(bytes);
        MAGICS[format].bytes.copy(head, MAGICS[format].at);
        const source = new EndlessSource(head);
        const header = await parseImage(source, format).catch((error) => error);
        if (!(header instanceof FormatError)) expect(header).toMatchObject({ format });
        expect(source.largestRead).toBeLessThanOrEqual(2 ** 21);
      }),
      { numRuns: 30 },
    );
  });
});

describe('qcow2', () => {
  const parse = (bytes: Buffer) => parseImage(new BufferSource(bytes), 'qcow2');
  const codeOf = (bytes: Buffer) =>
    parse(bytes).then(
      () => 'accepted',
      (error) => error.code,
    );

  it('reads a header written by hand', async () => {
    const header = await parse(qcow2Bytes());
    expect(header).toMatchObject({
      virtualSizeBytes: 2 ** 20,
      promisedBytes: 6 * 65_536,
      backing: null,
      details: { version: 3, clusterBytes: 65_536, complete: true },
    });
  });

  it('promises what its tables point to, however far', async () => {
    expect((await parse(qcow2Bytes({ dataOffset: 2n ** 40n }))).promisedBytes).toBe(2 ** 40 + 65_536);
    expect((await parse(qcow2Bytes().subarray(0, 4 * 65_536))).details.tablesBeyondEnd).toBe(1);
  });

  it.each([
    ['an external data file', { incompatible: 4n }, 'image.qcow2.external-data-file'],
    ['an unknown feature', { incompatible: 1n << 40n }, 'image.qcow2.unknown-feature'],
    ['impossible clusters', { clusterBits: 40 }, 'image.qcow2.cluster-size'],
    ['an L1 table too small for the disk', { virtualSizeBytes: 2n ** 50n }, 'image.qcow2.l1-too-small'],
    ['an absurd size', { virtualSizeBytes: 2n ** 63n }, 'image.absurd-size'],
    ['an absurd L1 table', { l1Entries: 0xffffffff }, 'image.qcow2.l1-size'],
    ['an L1 table inside a cluster', { l1Offset: 100n }, 'image.qcow2.table-offset'],
    ['absurdly many snapshots', { snapshots: { count: 2 ** 31, offset: 0n } }, 'image.qcow2.snapshot-count'],
    ['a backing name with a NUL', { backing: 'a\0b' }, 'image.qcow2.backing-name'],
    ['an endless backing name', { backing: 'x'.repeat(1024) }, 'image.qcow2.backing-name'],
  ])('refuses %s', async (_, parts, code) => {
    expect(await codeOf(qcow2Bytes(parts))).toBe(code);
  });

  it('tells the marks of a damaged or encrypted image', async () => {
    expect((await parse(qcow2Bytes({ incompatible: 3n, encryption: 2 }))).details).toMatchObject({ dirty: true, corrupt: true, encryption: 'luks' });
  });

  it('survives any single changed byte of its tables', async () => {
    const bytes = qcow2Bytes({ backing: 'base', backingFormat: 'raw' });
    const places = fc.oneof(
      fc.integer({ min: 0, max: 160 }),
      fc.constantFrom(1, 3, 4).chain((cluster) => fc.integer({ min: cluster * 65_536, max: cluster * 65_536 + 16 })),
    );
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 0, max: 255 }), async (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        const header = await parse(changed).catch((error) => error);
        if (!(header instanceof FormatError)) expect(header.format).toBe('qcow2');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('VMDK descriptor', () => {
  it('accepts one sparse extent and no parent', () => {
    const text = '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW 100 SPARSE "disk.vmdk"\n';
    expect(parseDescriptor(text)).toEqual({ createType: 'monolithicSparse', extentName: 'disk.vmdk' });
  });

  it.each([
    ['a parent', 'parentFileNameHint="/etc/passwd"', 'image.vmdk.parent'],
    ['a parent, spaced out', ' parentfilenamehint = "base.vmdk"', 'image.vmdk.parent'],
    ['a parent by id', 'parentCID=12345678', 'image.vmdk.parent'],
    ['a flat extent', 'RW 100 FLAT "/etc/shadow" 0', 'image.vmdk.extents'],
    ['a device', 'RW 100 VMFSRDM "/dev/sda"', 'image.vmdk.extents'],
    ['an extent elsewhere', 'RW 100 SPARSE "../other.vmdk"', 'image.vmdk.extents'],
    ['several extents', 'RW 1 SPARSE "a.vmdk"\nRW 1 SPARSE "b.vmdk"', 'image.vmdk.extents'],
  ])('refuses %s', (_, text, code) => {
    expect(() => parseDescriptor(`# Disk DescriptorFile\r\n${text}\r\n`)).toThrow(expect.objectContaining({ code }));
  });
});

describe('recognition', () => {
  it('knows a raw disk by the absence of any magic', () => {
    expect(identifyFormat(Buffer.alloc(512))).toBeNull();
    expect(identifyFormat(Buffer.from('QFI\xfb', 'latin1'))).toBe('qcow2');
    expect(identifyFormat(Buffer.alloc(0))).toBeNull();
  });

  it('takes a file stated to be raw as raw, whatever it begins with, and says so', async () => {
    const header = await parseImage(new BufferSource(qcow2Bytes({ backing: '/etc/passwd' })), 'raw');
    expect(header).toMatchObject({ format: 'raw', backing: null, details: { looksLike: 'qcow2' } });
  });

  it('contradicts a wrong statement', async () => {
    const wrong = parseImage(new BufferSource(qcow2Bytes()), 'vmdk');
    await expect(wrong).rejects.toThrow('the file is stated to be vmdk, but its header says qcow2');
  });

  it('computes CRC-32C as RFC 3720 does', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});
