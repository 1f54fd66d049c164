/** Runs in the threads of the page pass: stretches of log in the place of pages. */
import { streamIn } from '../../../../src/bytes/crc32c-stream.js';
import type { PageBlock, PageVerifier } from '../../../../src/bytes/page-pool.js';
import { WasmSpace } from '../../../../src/bytes/wasm-engine.js';
import { MtrIndex } from '../mtr-index.js';
import type { StretchDetail, StretchResult } from './detail.js';
import { PageMarks } from './page-marks.js';
import { RecordLoop } from './record-walk.js';
import { BLOCK_AT, Stretch, type StretchTools } from './stretch.js';

/** Small enough that it stays in a processor's second cache. */
export const STRETCH_BLOCK_BYTES = 256 * 1024;

export function createVerifier(): PageVerifier<StretchDetail, StretchResult[]> {
  return new StretchVerifier();
}

class StretchVerifier implements PageVerifier<StretchDetail, StretchResult[]> {
  readonly buffer: Uint8Array;
  private readonly tools: StretchTools;
  private current: Stretch | null = null;
  private done: StretchResult[] = [];

  constructor() {
    const space = new WasmSpace(BLOCK_AT + STRETCH_BLOCK_BYTES);
    this.buffer = space.buffer.subarray(BLOCK_AT);
    this.tools = { bytes: space.buffer, loop: new RecordLoop(space), stream: streamIn(space), index: new MtrIndex(), marks: new PageMarks() };
  }

  verify({ detail, offset, lengthBytes }: PageBlock<StretchDetail>): void {
    const position = detail.startLsn + offset;
    if (this.current?.detail !== detail || this.current.position !== position) this.begin(detail, position);
    this.current?.take(lengthBytes);
  }

  takeResult(): StretchResult[] {
    this.finish();
    const { done } = this;
    this.done = [];
    return done;
  }

  private begin(detail: StretchDetail, position: number): void {
    this.finish();
    this.current = new Stretch(detail, position, this.tools);
  }

  private finish(): void {
    if (this.current) this.done.push(this.current.result());
    this.current = null;
  }
}
