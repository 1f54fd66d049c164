/** Follows a long piece of a MariaDB 10.8 log with several threads. */
import { composeMap, type Placement } from '../../../../src/bytes/map.js';
import { runPagePass } from '../../../../src/bytes/page-pool.js';
import type { ByteMap } from '../../../../src/types.js';
import { StretchChain, type StretchTaker } from './chain.js';
import type { StretchDetail, StretchResult } from './detail.js';
import { STRETCH_BLOCK_BYTES } from './stretch-verifier.js';

export interface PieceOfLog {
  detail: StretchDetail;
  toLsn: number;
  taker: StretchTaker;
}

export interface FollowRequest {
  /** The file of the ring. */
  map: ByteMap;
  /** Where in it the ring begins. */
  ringAt: number;
  signal: AbortSignal;
  progress(bytes: number): void;
}

/**
 * All pieces at once, each of another kind. @returns of each, from where to where one mini-transaction leads to the next; `firstLsn` is null when none was found
 * near the beginning.
 */
export async function followStretches(request: FollowRequest, pieces: PieceOfLog[]): Promise<Pick<StretchChain, 'firstLsn' | 'nextLsn'>[]> {
  const chains = pieces.map(({ detail, taker }) => new StretchChain(detail, taker));
  let told = 0;
  await runPagePass<null, StretchDetail, StretchResult[]>({
    verifier: new URL('./stretch-verifier.js', import.meta.url),
    config: null,
    files: pieces.map((piece) => ({ map: pieceOfRing(request, piece), detail: piece.detail })),
    blockBytes: STRETCH_BLOCK_BYTES,
    onResult: (results) => {
      for (const result of results) chains[pieces.findIndex(({ detail }) => detail.kind === result.kind)]?.add(result);
    },
    signal: request.signal,
    progress: (doneBytes) => {
      request.progress(doneBytes - told);
      told = doneBytes;
    },
  });
  return chains;
}

/** The bytes of the ring from one LSN to another, in the order of the log. */
function pieceOfRing({ map, ringAt }: FollowRequest, { detail, toLsn }: PieceOfLog): ByteMap {
  const { startLsn, firstLsn, capacity } = detail;
  const placements: Placement[] = [];
  for (let lsn = startLsn; lsn < toLsn; ) {
    const inRing = (lsn - firstLsn) % capacity;
    const lengthBytes = Math.min(toLsn - lsn, capacity - inRing);
    placements.push({ offset: lsn - startLsn, lengthBytes, inner: map, innerOffset: ringAt + inRing });
    lsn += lengthBytes;
  }
  return composeMap(toLsn - startLsn, placements);
}
