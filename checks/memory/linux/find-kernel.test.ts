import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestKernel } from '../testing/kernel.js';
import { TestRam } from '../testing/ram.js';
import { findKernel } from './find-kernel.js';

const STRUCTS = { thing: { size: 24, members: { first: { offset: 0, type: 4 }, list: { offset: 8, type: 8 } } } } as const;

describe('a kernel in memory', () => {
  it('is found with its symbols and types', async () => {
    const made = new TestKernel({ structs: STRUCTS, release: '6.1.0-56-cloud-amd64' });
    const head = made.room(16, 'super_blocks');
    const { kernel, why } = await findKernel(made.finish().ram, [made.cpu()], [made.infoPage]);
    expect(why).toBe('');
    expect(kernel?.release).toBe('6.1.0-56-cloud-amd64');
    expect(kernel?.symbols.get('super_blocks')).toBe(head);
    expect(kernel?.field('thing', 'list')).toEqual({ offset: 8, sizeBytes: 8 });
  });

  it('is found when it does not say where its symbols lie, as before 6.0', async () => {
    const made = new TestKernel({ structs: STRUCTS, hiddenSymbols: true });
    const head = made.room(16, 'super_blocks');
    const { kernel } = await findKernel(made.finish().ram, [made.cpu()], [made.infoPage]);
    expect(kernel?.symbols.get('super_blocks')).toBe(head);
    expect(kernel?.types?.size).toBe(1);
  });

  it('walks lists, and says so when one does not come round', async () => {
    const made = new TestKernel({ structs: STRUCTS });
    const head = made.room(16, 'super_blocks');
    const things = [made.room(24), made.room(24), made.room(24)];
    made.link(head, things, 8);
    const { kernel } = await findKernel(made.finish().ram, [], [made.infoPage]);
    expect(await kernel?.list(head, 'thing', 'list')).toEqual(things);
    made.writePointer((things[2] as bigint) + 8n, 0n);
    const again = (await findKernel(made.ram, [], [made.infoPage])).kernel;
    await expect(again?.list(head, 'thing', 'list')).rejects.toThrow('list of thing');
  });

  it('is not one that a reboot left standing', async () => {
    const old = new TestKernel({ release: '5.10.0-old' });
    old.finish();
    const fresh = new TestKernel({ release: '6.1.0-new', moved: { ram: old.ram, pages: 3, root: old.ram.newTable() } });
    fresh.finish();
    const pages = [old.infoPage, fresh.infoPage];
    expect((await findKernel(old.ram, [fresh.cpu()], pages)).kernel?.release).toBe('6.1.0-new');
    expect((await findKernel(old.ram, [old.cpu()], pages)).kernel?.release).toBe('5.10.0-old');
    expect((await findKernel(old.ram, [], pages)).why).toContain('more than one');
    const firmware = { ...fresh.cpu(), mode: 'real' as const };
    expect((await findKernel(old.ram, [firmware], pages)).why).toContain('no processor was running');
  });

  it('is not the text alone', async () => {
    const ram = new TestRam(1024 * 1024);
    ram.bytes.write(
      'OSRELEASE=6.1.0\nSYMBOL(init_uts_ns)=ffffffff81000000\nSYMBOL(swapper_pg_dir)=ffffffff80000000\nSYMBOL(_stext)=ffffffff81000000\nNUMBER(phys_base)=0\n',
      0x1000,
    );
    expect((await findKernel(ram, [], [0x1000])).why).toContain('cannot be read');
    expect((await findKernel(ram, [], [])).why).toContain('no Linux kernel');
  });

  it('is found or not, whatever bytes are broken', async () => {
    const made = new TestKernel({ structs: STRUCTS });
    made.room(16, 'super_blocks');
    made.finish();
    const whole = Buffer.from(made.ram.bytes);
    const place = fc.oneof(
      fc.nat(0x8000).map((at) => 16 * 1024 * 1024 + at),
      fc.nat(0xfff).map((at) => made.infoPage + at),
      fc.nat(0xffff).map((at) => whole.length - 1 - at),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 40 }), async (changes) => {
        whole.copy(made.ram.bytes);
        for (const [at, value] of changes) made.ram.bytes[at] = value;
        const { kernel, why } = await findKernel(made.ram, [], [made.infoPage]);
        expect(kernel === null).toBe(why !== '');
      }),
      { numRuns: 60 },
    );
  });
});
