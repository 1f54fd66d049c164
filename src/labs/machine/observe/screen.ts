/** What the guest shows. */
import { createHash } from 'node:crypto';
import type { Look } from '../../../ways.js';
import type { FilesOfQemu } from './files-of-qemu.js';
import { isBlank, type Pixels } from './pixels.js';
import { findText, mayBeText, TEXT_WINDOW, textOf } from './text-screen.js';

/**
 * Of text modes the digest is that of characters and colours: QEMU draws a cursor that blinks without the guest, and that must not
 * read as a guest that does something.
 */
export async function screenLook(pixels: Pixels, files: FilesOfQemu): Promise<Look['screen']> {
  const { width, height } = pixels;
  const found = mayBeText(pixels) ? findText(pixels, await files.physicalMemory(TEXT_WINDOW.address, TEXT_WINDOW.lengthBytes)) : null;
  if (!found) return { digest: digest(pixels, pixels.rgb), text: null, width, height, blank: isBlank(pixels) };
  const text = textOf(found);
  return { digest: digest(pixels, found.cells), text, width, height, blank: text === '' };
}

function digest({ width, height }: Pixels, bytes: Buffer): string {
  return createHash('sha256').update(`${width}x${height} `).update(bytes).digest('hex');
}
