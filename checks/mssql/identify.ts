/** What one file is: by its header page, or, where that is damaged, by the pages and log behind it. */
import { FormatError } from '../../src/errors.js';
import type { ByteSource } from '../../src/types.js';
import { type BootPage, type FileHeader, parseBootPage, parseFileHeader } from './format/file-page.js';
import { FIRST_VLF_AT, parseVlf } from './format/log.js';
import { PAGE_BYTES, pageHeader } from './format/page.js';

export interface FileFacts {
  role: 'primary' | 'data' | 'log' | 'unrecognised';
  header: FileHeader | null;
  /** Of a primary file; null where it is damaged. */
  boot: BootPage | null;
}

const HEAD_BYTES = 10 * PAGE_BYTES;

export async function identifyFile(source: ByteSource): Promise<FileFacts> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.sizeBytes));
  const header = orNull(() => parseFileHeader(head.subarray(0, PAGE_BYTES)));
  const boot = orNull(() => parseBootPage(head.subarray(9 * PAGE_BYTES)));
  const isLog = parseVlf(head.subarray(FIRST_VLF_AT, FIRST_VLF_AT + 32), FIRST_VLF_AT, source.sizeBytes - FIRST_VLF_AT) !== null;
  if (isLog) return { role: 'log', header, boot: null };
  if (boot || header?.fileId === 1) return { role: 'primary', header, boot };
  if (header) return { role: 'data', header, boot: null };
  // Without header and boot page, pages that bear their own numbers still give it away.
  const fileId = fileOfPages(head);
  return { role: fileId === null ? 'unrecognised' : fileId === 1 ? 'primary' : 'data', header, boot };
}

/** The number of the file that at least three of the first pages name. */
function fileOfPages(head: Buffer): number | null {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const votes = new Map<number, number>();
  for (let page = 1; (page + 1) * PAGE_BYTES <= head.length; page++) {
    const found = pageHeader(view, page * PAGE_BYTES);
    if (found.version === 1 && found.page === page && found.file > 0) votes.set(found.file, (votes.get(found.file) ?? 0) + 1);
  }
  for (const [file, count] of votes) if (count >= 3) return file;
  return null;
}

function orNull<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
