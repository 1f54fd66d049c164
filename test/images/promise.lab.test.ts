import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/images/index.js';
import type { ImageFormat } from '../../src/types.js';
import { qemuImg, testFolder } from './make.js';

const SECTORS = 40_000;
const cases: [ImageFormat, string[], string[]][] = [
  ['qcow2', [], ['write', 'write -z', 'write -c', 'discard']],
  ['qcow2', ['-o', 'cluster_size=1k'], ['write', 'write -z', 'write -c', 'discard']],
  ['qcow2', ['-o', 'extended_l2=on,cluster_size=32k'], ['write', 'write -z', 'discard']],
  ['vmdk', [], ['write', 'write -z']],
  ['vpc', [], ['write']],
  ['vhdx', ['-o', 'block_size=1M'], ['write']],
  ['vdi', [], ['write']],
];

/** A false alarm is as bad as a miss: whatever qemu wrote and closed is complete. */
describe.each(cases)('%s %j', (format, more, commands) => {
  it('never promises more than qemu wrote, after any writes', async () => {
    const folder = await testFolder();
    const size = `${SECTORS * 512}`;
    const operation = fc.tuple(fc.constantFrom(...commands), fc.integer({ min: 0, max: SECTORS - 1 }), fc.integer({ min: 1, max: 3000 }));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 15 }), async (operations) => {
        const path = join(folder, `disk${run++}`);
        await qemuImg('create', '-q', '-f', format, ...more, path, size);
        const script = operations.flatMap(([command, sector, length]) => [
          '-c',
          `${command} ${align(command, sector) * 512} ${extent(command, sector, length) * 512}`,
        ]);
        // qemu refuses some of them (compressed data over what is there): the image counts as it was left.
        await promisify(execFile)('qemu-io', ['-f', format, ...script, path]).catch((error) => expect(error.code).toBe(1));
        const image = await openImage({ path, format, bus: null }, { folder, allowedFolders: [] });
        expect(image.refused).toBeNull();
        expect(image.layers[0]?.promisedBytes).toBeLessThanOrEqual((await stat(path)).size);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});

/** Compressed writes are whole clusters of at most 64 KiB. */
const CLUSTER_SECTORS = 128;
const align = (command: string, sector: number) => (command === 'write -c' ? Math.min(Math.floor(sector / CLUSTER_SECTORS), 300) * CLUSTER_SECTORS : sector);
const extent = (command: string, sector: number, length: number) => (command === 'write -c' ? CLUSTER_SECTORS : Math.min(length, SECTORS - sector));
