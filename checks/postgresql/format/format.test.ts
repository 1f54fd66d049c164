import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import { controlBytes } from '../testing/build.js';
import { parseControl } from './control.js';
import { formatLsn, parseLsn } from './lsn.js';
import { parseRelationName, parseSegmentName, segmentName } from './names.js';
import { headerIsSane } from './page.js';
import { parseWalPage } from './wal-page.js';
import { parseRecordBody } from './wal-record.js';

describe('control file', () => {
  it.each([1100, 1201, 1300, 1700, 1800])('of version %i', (version) => {
    const result = parseControl(controlBytes(version));
    expect(result).toMatchObject({ kind: 'ok', control: { state: 'in production', redo: 0x14a000028, timeline: 3, pageBytes: 8192, checksums: true } });
  });

  it('with a changed byte is damaged', () => {
    const bytes = controlBytes(1300);
    bytes[41] = 1;
    expect(parseControl(bytes)).toMatchObject({ kind: 'damaged' });
  });

  it('of an unknown version or the other byte order is unknown, not damaged', () => {
    expect(parseControl(controlBytes(2100))).toMatchObject({ kind: 'unknown' });
    const swapped = controlBytes(1300);
    swapped.writeUInt32BE(1300, 8);
    expect(parseControl(swapped)).toMatchObject({ kind: 'unknown' });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1024 }), (bytes) => void parseControl(Buffer.from(bytes))));
    fc.assert(
      fc.property(fc.nat(287), fc.nat(255), (at, value) => {
        const bytes = controlBytes(1300);
        bytes[at] = value;
        bytes.writeUInt32LE(crc32c(bytes, 0, 288), 288);
        expect(['ok', 'damaged', 'unknown']).toContain(parseControl(bytes).kind);
      }),
    );
  });
});

describe('names', () => {
  it('of relation files', () => {
    expect(parseRelationName('16384_vm.2')).toEqual({ relation: 16384, fork: 'vm', segment: 2, temporary: false });
    expect(parseRelationName('t3_16384')).toMatchObject({ temporary: true });
    for (const name of ['pg_internal.init', 'pg_filenode.map', 'PG_VERSION', '16384_x', '']) expect(parseRelationName(name)).toBeNull();
  });

  it('of log segments go both ways', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (timeline, segment) => {
        const start = segment * 16777216;
        expect(parseSegmentName(segmentName(timeline, start, 16777216), 16777216)).toEqual({ timeline, start });
      }),
    );
    expect(parseSegmentName('0000000100000000000001FF', 16777216)).toBeNull();
  });

  it('of log positions go both ways', () => {
    expect(formatLsn(0x14a000028)).toBe('1/4A000028');
    expect(parseLsn('1/4A000028')).toBe(0x14a000028);
    expect(parseLsn('x')).toBeNull();
  });
});

describe('hostile bytes', () => {
  it('in a log page header give null or a header', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(70), (bytes, at) => void parseWalPage(Buffer.from(bytes), at)));
  });

  it('in a log record give its parts or a FormatError, nothing outside it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 300 }), fc.constantFrom(11, 14, 15, 18), (bytes, version) => {
        try {
          const body = parseRecordBody(Buffer.from(bytes), 0, bytes.length, version);
          expect(body.mainOffset + body.mainBytes).toBe(bytes.length);
          for (const block of body.blocks) expect((block.image?.offset ?? 0) + (block.image?.lengthBytes ?? 0)).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('in a page header give a judgement', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), (bytes) => typeof headerIsSane(new DataView(bytes.buffer), 0, 8192) === 'boolean'));
  });
});
