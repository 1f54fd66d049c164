import { describe, expect, it } from 'vitest';
import type { CheckTarget } from '../../../src/check.js';
import type { ImageLayer } from '../../../src/types.js';
import { evaluate } from './evaluate.js';
import { evidenceOf } from './evidence.js';
import check from './index.js';

const layer = (more: Partial<ImageLayer>): ImageLayer => ({
  path: '/backup/disk',
  format: 'qcow2',
  sizeBytes: 1000,
  virtualSizeBytes: 5000,
  promisedBytes: 1000,
  backingPath: null,
  details: {},
  ...more,
});

const judge = (more: Partial<ImageLayer>) => evaluate({ refused: null, layers: [layer(more)], internalSnapshots: 0 });
const refused = {
  code: 'image.chain.outside',
  severity: 'critical' as const,
  message: '/backup/disk: the backing file "/etc/passwd" lies outside',
  where: { file: '/backup/disk' },
};

describe('image/completeness', () => {
  it('passes a file as long as its tables require, or longer', () => {
    expect(judge({})).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
    expect(judge({ sizeBytes: 1001 }).outcome).toBe('pass');
  });

  it('fails a file that is one byte too short, and says how much is missing', () => {
    const judgement = judge({ sizeBytes: 999 });
    expect(judgement).toMatchObject({ outcome: 'fail', findings: [{ code: 'image.truncated', where: { sizeBytes: 999, promisedBytes: 1000 } }] });
    expect(judgement.summary).toBe('/backup/disk is cut off: it is 999 bytes long, but its own tables point to data up to byte 1000 (1 bytes are missing).');
    expect(judgement.advice).toContain('take a new backup');
  });

  it('finds the short layer anywhere in a chain', () => {
    const evidence = { refused: null, layers: [layer({}), layer({ path: '/backup/base', promisedBytes: 2000 })], internalSnapshots: 0 };
    expect(evaluate(evidence).findings).toMatchObject([{ code: 'image.truncated', where: { file: '/backup/base' } }]);
  });

  it('fails a refused image with the words of the guard', () => {
    const image = { name: 'disk0', refused, layers: [layer({})], internalSnapshots: [] };
    const evidence = evidenceOf({ kind: 'image', id: 'disk0', image } as unknown as CheckTarget);
    expect(evaluate(evidence)).toMatchObject({ outcome: 'fail', summary: refused.message, findings: [refused] });
    expect(check.skipReason({ kind: 'image', id: 'disk0', image } as unknown as CheckTarget, {} as never)).toBeNull();
  });

  it.each<[string, ImageLayer['details'], Partial<ImageLayer>]>([
    ['image.marked-corrupt', { corrupt: true }, {}],
    ['image.footer-missing', { footerAtEnd: false }, { format: 'vpc' }],
  ])('fails on %s', (code, details, more) => {
    expect(judge({ ...more, details })).toMatchObject({ outcome: 'fail', findings: [{ code, severity: 'critical' }] });
  });

  it.each<[string, ImageLayer['details'], Partial<ImageLayer>]>([
    ['image.dirty', { dirty: true }, {}],
    ['image.footer-copy', { footerAtEnd: true, copyAtStart: false }, { format: 'vpc' }],
    ['image.log-in-use', { logInUse: true }, { format: 'vhdx' }],
    ['image.unclean', { uncleanShutdown: true }, { format: 'vmdk' }],
    ['image.odd-length', { wholeSectors: false }, { format: 'raw' }],
    ['image.raw-with-magic', { looksLike: 'qcow2' }, { format: 'raw' }],
  ])('only warns of %s', (code, details, more) => {
    expect(judge({ ...more, details })).toMatchObject({ outcome: 'pass', findings: [{ code, severity: 'warning' }] });
  });

  it('says that encrypted content is untested', () => {
    expect(judge({ details: { encryption: 'none' } }).untested).toEqual([]);
    expect(judge({ details: { encryption: 'luks' } }).untested).toMatchObject([{ holdsData: true }]);
    expect(judge({ details: { complete: false } }).untested).toMatchObject([{ holdsData: true }]);
  });
});
