/** The table of all files: keys and values are strings that end in a zero. */
import type { Cell } from './format/block.js';
import { type FileFacts, type FileWalk, walkFile } from './walk-file.js';

export interface Metadata {
  /** Configuration by file name, `collection-0-123.wt`. */
  files: Map<string, string>;
  facts: FileFacts;
}

const MAX_FILES = 500_000;

export async function readMetadata(walk: FileWalk): Promise<Metadata> {
  const files = new Map<string, string>();
  const visit = (cells: Cell[]) => {
    for (const [key, value] of pairs(cells)) if (key.startsWith('file:') && files.size < MAX_FILES) files.set(key.slice('file:'.length), value);
  };
  const facts = await walkFile({ ...walk, visit });
  return { files, facts };
}

/** Keys share what their prefix says with the key before; a key without a value has an empty one. */
function* pairs(cells: Cell[]): Generator<[string, string]> {
  let key: Buffer = Buffer.alloc(0);
  for (const [i, cell] of cells.entries()) {
    if (cell.kind !== 'key') continue;
    key = Buffer.concat([key.subarray(0, cell.prefix), cell.data]);
    const next = cells[i + 1];
    yield [text(key), next?.kind === 'value' ? text(next.data) : ''];
  }
}

function text(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\0+$/, '');
}
