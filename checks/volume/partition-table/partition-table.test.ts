import { expect, test } from 'vitest';
import type { CheckTarget } from '../../../src/check.js';
import type { Finding, Inspection, SnapshotImage } from '../../../src/types.js';
import check, { judgeTable } from './index.js';

const finding = (severity: Finding['severity']): Finding => ({ code: `partition-table.${severity}`, severity, message: `${severity} words`, where: {} });

test('critical findings fail, with advice; warnings pass and are told', () => {
  expect(judgeTable({ disk: 'disk0', scheme: 'gpt', findings: [] })).toMatchObject({ outcome: 'pass', findings: [] });
  const warned = judgeTable({ disk: 'disk0', scheme: 'gpt', findings: [finding('warning')] });
  expect(warned.outcome).toBe('pass');
  expect(warned.summary).toContain('warning words');
  const failed = judgeTable({ disk: 'disk0', scheme: 'gpt', findings: [finding('warning'), finding('critical')] });
  expect(failed).toMatchObject({ outcome: 'fail', summary: 'critical words', consistency: { level: 'none' } });
  expect(failed.advice).toContain('older restore point');
});

test('a disk without a table, or one that was not read, is skipped', () => {
  const target: CheckTarget = { kind: 'image', id: 'disk0', image: {} as SnapshotImage };
  const inspection = (scheme: 'gpt' | 'none') => ({ tables: [{ disk: 'disk0', scheme, findings: [] }] }) as unknown as Inspection;
  expect(check.skipReason(target, inspection('none'))).toContain('no partition table');
  expect(check.skipReason(target, inspection('gpt'))).toBeNull();
  expect(check.skipReason(target, { tables: [] } as unknown as Inspection)).toContain('could not be read');
});
