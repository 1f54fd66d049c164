/** The types that a kernel's modules bring with them: each is a table of its own that goes on from the kernel's. */
import { FormatError } from '../../../src/errors.js';
import { TypeTable } from './btf.js';
import type { LinuxKernel } from './kernel.js';

/** Only the modules whose structures are looked at: others would be read for nothing. */
const WANTED = ['ext4', 'jbd2', 'xfs', 'btrfs'];
const MAX_MODULE_BYTES = 8 * 1024 * 1024;

/** As far as they can be read: what is not there cannot be told later, by name. */
export async function readModuleTypes(kernel: LinuxKernel, base: TypeTable): Promise<[string, TypeTable][]> {
  const head = kernel.symbols.get('btf_modules');
  if (head === undefined) return [];
  const tables: [string, TypeTable][] = [];
  try {
    for (const address of await kernel.list(head, 'btf_module', 'list')) {
      const btf = await (await kernel.view('btf_module', address)).follow('btf', 'btf');
      const name = btf.text('name');
      if (!WANTED.includes(name)) continue;
      const length = btf.number('data_size');
      const bytes = length <= MAX_MODULE_BYTES ? await kernel.memory.read(btf.value('data'), length) : null;
      if (bytes) tables.push([name, new TypeTable(bytes, base)]);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return tables;
}
