/**
 * A page as changes to its content before: runs of unchanged and of new bytes in turn, each with its length as ULEB128; the new
 * bytes follow theirs. Source: docs/xbzrle.txt of QEMU.
 */
import { broken } from '../findings.js';

/** Changes `page` in place. @throws FormatError */
export function applyChanges(page: Buffer, changes: Buffer): void {
  let from = 0;
  let to = 0;
  while (from < changes.length) {
    const unchanged = readLength(changes, from);
    from = unchanged.next;
    to += unchanged.value;
    if (from >= changes.length) break;
    const fresh = readLength(changes, from);
    from = fresh.next;
    if (fresh.value === 0 || from + fresh.value > changes.length || to + fresh.value > page.length) throw impossible();
    changes.copy(page, to, from, from + fresh.value);
    from += fresh.value;
    to += fresh.value;
  }
  if (to > page.length) throw impossible();
}

/** Two bytes are enough for lengths within a page. */
function readLength(bytes: Buffer, at: number): { value: number; next: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { value: first, next: at + 1 };
  const second = bytes[at + 1];
  if (second === undefined || second >= 0x80) throw impossible();
  return { value: (first & 0x7f) + second * 0x80, next: at + 2 };
}

function impossible() {
  return broken('stream.garbled', 'a page that is stored as changes (XBZRLE) cannot be put together: its lengths lead out of it');
}
