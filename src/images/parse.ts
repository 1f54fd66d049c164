/** From one file to its header: which format it is taken as, and what that format's parser says. */
import type { ByteSource, ImageFormat } from '../types.js';
import { type ImageHeader, readAvailable, refuse } from './header.js';
import { HEAD_BYTES, identifyFormat, identifyOtherVmdk } from './identify.js';
import { parseQcow2, readQcow2Fields } from './qcow2/index.js';
import { parseRaw } from './raw.js';
import { parseVdi } from './vdi.js';
import { parseVhd } from './vhd.js';
import { parseVhdx } from './vhdx/index.js';
import { parseVmdk } from './vmdk/index.js';

const PARSERS: Record<ImageFormat, (source: ByteSource) => Promise<ImageHeader>> = {
  raw: parseRaw,
  qcow2: parseQcow2,
  vmdk: parseVmdk,
  vpc: parseVhd,
  vhdx: parseVhdx,
  vdi: parseVdi,
};

export const IMAGE_FORMATS = Object.keys(PARSERS) as ImageFormat[];

/** Other names people use, by the name qemu uses. */
const OTHER_NAMES: Record<string, ImageFormat> = { vhd: 'vpc', img: 'raw' };

/** qemu's name of a format, or null for one that is not supported. */
export function formatNamed(name: string): ImageFormat | null {
  const known = IMAGE_FORMATS.find((format) => format === name.toLowerCase());
  return known ?? OTHER_NAMES[name.toLowerCase()] ?? null;
}

/**
 * Parses the header of one file. A stated format is believed (`raw` above all: a guest can write any magic into its own
 * first sector); where none is stated, the header decides, once and here.
 * @throws FormatError
 */
export async function parseImage(source: ByteSource, stated: ImageFormat | null): Promise<ImageHeader> {
  if (source.sizeBytes === 0) throw refuse('empty', 'the file is empty (0 bytes)', 'The backup did not write it: take a new one.');
  const seen = await recognise(source);
  // A VHD that lost its footer carries no magic at all: its parser says more than this could.
  if (stated && stated !== 'raw' && seen !== stated && !(stated === 'vpc' && seen === null)) {
    const says = seen ? `its header says ${seen}` : 'it begins like no image format';
    throw refuse(
      'format-contradicted',
      `the file is stated to be ${stated}, but ${says}`,
      'State the right format, or find out what replaced or overwrote the file.',
    );
  }
  const header = await PARSERS[stated ?? seen ?? 'raw'](source);
  return { ...header, details: { ...header.details, formatStated: stated !== null } };
}

/** The format by magic; null when there is none. */
export async function recognise(source: ByteSource): Promise<ImageFormat | null> {
  const head = await readAvailable(source, 0, HEAD_BYTES);
  const tail = await readAvailable(source, Math.max(0, source.sizeBytes - 512), 512);
  return identifyFormat(head, tail) ?? (identifyOtherVmdk(head) ? 'vmdk' : null);
}

/** The backing file a header names, as hostile text; null when it names none or cannot be read. For sorting out folders only. */
export async function backingNameOf(source: ByteSource): Promise<string | null> {
  if ((await recognise(source)) !== 'qcow2') return null;
  return readQcow2Fields(source).then(
    (fields) => fields.backing?.name ?? null,
    () => null,
  );
}
