/**
 * supermin's first file system loads every driver that an appliance might need, ever; these are the ones that ours has devices for.
 * The kernel unpacks archives that follow each other, and what comes later replaces what came before: a list of our own is appended.
 * Format: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html ("newc").
 */

const ALIGNMENT = 4;
const FIELD_COUNT = 13;
const REGULAR_FILE = 0o100644;
/** Places of fields in a header. */
const MODE = 1;
const LINKS = 4;
const FILE_BYTES = 6;
const NAME_BYTES = 11;

/** In the order in which they depend on each other; supermin passes over those that its host's kernel does not have. */
const WANTED =
  /^(crc32.*|crc32c.*|crct10dif.*|libcrc32c|scsi_common|scsi_mod|sd_mod|virtio|virtio_ring|virtio_pci.*|virtio_scsi|virtio_console|virtio-rng|fuse|mbcache|jbd2|ext[24])\.ko/;

/** The list of drivers without those that are not needed. Null when something expected is missing: then the whole list stays. */
export function trimModules(list: string): string | null {
  const kept = list.split('\n').filter((name) => WANTED.test(name));
  const has = (name: string) => list.split('\n').some((line) => line.startsWith(`${name}.ko`)) === kept.some((line) => line.startsWith(`${name}.ko`));
  const known = /^virtio_scsi\.ko/m.test(list) && /^sd_mod\.ko/m.test(list);
  return known && ['virtio_pci', 'virtio_console', 'scsi_mod'].every(has) ? `${kept.join('\n')}\n` : null;
}

/** An archive with one file. */
export function archiveOf(name: string, content: string): Buffer {
  return Buffer.concat([entry(name, Buffer.from(content), REGULAR_FILE), entry('TRAILER!!!', Buffer.alloc(0), 0)]);
}

function entry(name: string, content: Buffer, mode: number): Buffer {
  const fields = new Array<number>(FIELD_COUNT).fill(0);
  fields[MODE] = mode;
  fields[LINKS] = 1;
  fields[FILE_BYTES] = content.length;
  fields[NAME_BYTES] = name.length + 1;
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header)), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);
}

/** The content of a file in an uncompressed archive of this format; null when it is not there. */
export function readEntry(archive: Buffer, wanted: string): string | null {
  const align = (at: number) => at + ((ALIGNMENT - (at % ALIGNMENT)) % ALIGNMENT);
  const headerBytes = 6 + 8 * FIELD_COUNT;
  for (let at = 0; at + headerBytes <= archive.length && archive.toString('latin1', at, at + 6) === '070701'; ) {
    const field = (index: number) => Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const nameEnd = at + headerBytes + field(NAME_BYTES);
    const start = align(nameEnd);
    const name = archive.toString('latin1', at + headerBytes, nameEnd - 1);
    if (name.replace(/^\.?\//, '') === wanted) return archive.toString('latin1', start, start + field(FILE_BYTES));
    at = align(start + field(FILE_BYTES));
  }
  return null;
}
