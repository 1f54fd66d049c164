/** The list of free pages. Source: https://sqlite.org/fileformat2.html, section 1.5. */

import type { Defects } from '../defects.js';
import { type Geometry, PTRMAP } from '../format/geometry.js';
import type { DatabaseHeader } from '../format/header.js';
import type { PageView } from '../page-view.js';
import type { PageClaims } from './page-claims.js';

const TREE = 'list of free pages';

/** Claims every free page; gives how many there are. Ends at the first trunk that cannot be right. */
export async function walkFreeList(
  header: DatabaseHeader,
  view: PageView,
  geometry: Geometry,
  claims: PageClaims,
  defects: Defects,
  signal: AbortSignal,
): Promise<number> {
  let found = 0;
  let intact = true;
  for (let trunk = header.firstFreeTrunk; trunk !== 0 && intact; ) {
    signal.throwIfAborted();
    intact = claims.take({ page: trunk, use: PTRMAP.free, parent: 0, tree: TREE }) && view.isPresent(trunk);
    if (!intact) break;
    found++;
    const page = await view.read(trunk, 1);
    const leaves = page.readUInt32BE(4);
    if (leaves > geometry.usableBytes / 4 - 2) {
      defects.add('sqlite.freelist', trunk, TREE, `says it lists ${leaves} free pages, more than fit on it`);
      intact = false;
      break;
    }
    for (let leaf = 0; leaf < leaves; leaf++) {
      if (claims.take({ page: page.readUInt32BE(8 + 4 * leaf), use: PTRMAP.free, parent: 0, tree: TREE })) found++;
      else intact = false;
    }
    trunk = page.readUInt32BE(0);
  }
  if (found !== header.freePages)
    defects.add('sqlite.freelist', header.firstFreeTrunk, TREE, `leads to ${found} free pages, the header says ${header.freePages}`);
  return found;
}
