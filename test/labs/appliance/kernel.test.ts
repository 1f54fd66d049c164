import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kernelPayload, startsUnpacked, unpackKernel } from '../../../src/labs/appliance/kernel.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-kernel-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The kernel that Debian's package installed here. */
function debianKernel(): string | undefined {
  return readdirSync('/boot')
    .filter((name) => /^vmlinuz-.*cloud-amd64$/.test(name))
    .map((name) => join('/boot', name))
    .at(-1);
}

function elfWithNote(type: number, name = 'Xen\0'): Buffer {
  const elf = Buffer.alloc(64 + 56 + 20);
  elf.writeUInt32BE(0x7f454c46, 0);
  elf[4] = 2;
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(4, 64);
  elf.writeBigUInt64LE(120n, 72);
  elf.writeBigUInt64LE(20n, 96);
  elf.writeUInt32LE(4, 120);
  elf.writeUInt32LE(4, 124);
  elf.writeUInt32LE(type, 128);
  elf.write(name, 132, 'latin1');
  return elf;
}

test("Debian's kernel is unpacked to one that QEMU can start", async (context) => {
  const kernel = debianKernel();
  if (!kernel) return context.skip();
  const copy = join(folder, 'kernel');
  copyFileSync(kernel, copy);
  expect(await unpackKernel(copy)).toBe(true);
  const unpacked = readFileSync(copy);
  expect(unpacked.length).toBeGreaterThan(readFileSync(kernel).length);
  expect(startsUnpacked(unpacked)).toBe(true);
  expect(readdirSync(folder)).toEqual(['kernel']);
});

test('anything else stays as it is', async () => {
  const odd = join(folder, 'odd');
  for (const bytes of [Buffer.alloc(0), Buffer.from('no kernel'), elfWithNote(18)]) {
    writeFileSync(odd, bytes);
    expect(await unpackKernel(odd)).toBe(false);
    expect(readFileSync(odd)).toEqual(bytes);
  }
});

test('only a note of Xen that names the entry counts', () => {
  expect(startsUnpacked(elfWithNote(18))).toBe(true);
  expect(startsUnpacked(elfWithNote(6))).toBe(false);
  expect(startsUnpacked(elfWithNote(18, 'GNU\0'))).toBe(false);
});

test('whatever the bytes are, nothing is read outside them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 600, maxLength: 1600 }), (elf, image) => {
      expect(typeof startsUnpacked(Buffer.concat([elfWithNote(18).subarray(0, 72), elf]))).toBe('boolean');
      const bzImage = Buffer.from(image);
      bzImage.write('HdrS', 0x202, 'latin1');
      const payload = kernelPayload(bzImage);
      expect(payload === null || payload.length <= bzImage.length).toBe(true);
    }),
  );
});
