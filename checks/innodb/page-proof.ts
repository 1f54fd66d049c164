/** Whether the pages of a buffer carry the checksum of their own bytes, for every kind of tablespace. Pages are read into `buffer`. */
import { crc32c } from '../../src/bytes/crc32c.js';
import { type BlockSums, blockSumsIn } from '../../src/bytes/crc32c-blocks.js';
import { type PageSums, pageSumsIn } from '../../src/bytes/crc32c-together.js';
import { WasmSpace } from '../../src/bytes/wasm-engine.js';
import { legacyChecksum, zipChecksum } from './format/legacy-checksum.js';
import { PAGE, TYPE } from './format/page.js';

export interface PageForm {
  pageBytes: number;
  fullCrc32: boolean;
  zip: boolean;
  /** MariaDB marks an encrypted page by a key version; MySQL by its type. */
  family: 'mariadb' | 'mysql';
}

/** good, bad, or: hidden (nothing proves it without its key), off (checksums are switched off). */
export type Proof = 'good' | 'bad' | 'hidden' | 'off';

const RTREE = 17854;
/** Of full_crc32: the type's highest bit says that the page is compressed, the rest how long it is. */
const COMPRESSED_BIT = 0x8000;
const HIDDEN_TYPES: readonly number[] = [
  TYPE.compressed,
  TYPE.encrypted,
  TYPE.compressedEncrypted,
  TYPE.encryptedRtree,
  TYPE.pageCompressed,
  TYPE.pageCompressedEncrypted,
];

export class PageProofs {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  private readonly space: WasmSpace;
  /** Made when first needed: most instances need one of them only. */
  private sums: BlockSums | null = null;
  private together: PageSums | null | undefined;
  private found: Uint32Array = new Uint32Array(0);
  private allGood = false;

  constructor(bufferBytes: number) {
    this.space = new WasmSpace(bufferBytes);
    this.buffer = this.space.buffer;
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
  }

  /** To be called before `proof` for the pages of a new block. */
  prepare(form: PageForm, count: number): void {
    const { pageBytes } = form;
    this.allGood = form.fullCrc32 && count * pageBytes === this.buffer.length && this.provenTogether(pageBytes);
    if (this.allGood) return;
    const from = form.fullCrc32 ? 0 : form.zip ? PAGE.space : PAGE.data;
    const to = form.fullCrc32 ? pageBytes - 4 : form.zip ? pageBytes : pageBytes - 8;
    this.sums ??= blockSumsIn(this.space, { minPageBytes: 1024, maxPageBytes: 65536 });
    this.found = this.sums.compute(count, pageBytes, from, to);
  }

  /** Nearly every block is whole: all its pages are proven at once. */
  private provenTogether(pageBytes: number): boolean {
    if (this.together === undefined) this.together = pageSumsIn(this.space);
    const isEmpty = (at: number) => this.view.getUint32(at + pageBytes - 4) === 0 && this.view.getUint32(at + PAGE.lsn + 4) === 0;
    return this.together?.allProven(pageBytes, isEmpty) ?? false;
  }

  proof(form: PageForm, index: number): Proof {
    const at = index * form.pageBytes;
    if (this.allGood) return this.lsnAgrees(at, form.pageBytes) ? 'good' : 'bad';
    const body = this.found[index] as number;
    if (form.fullCrc32) return this.fullCrc32(at, form.pageBytes, body);
    const kind = form.zip ? zipChecksum(this.buffer, this.view, at, form.pageBytes, body) : legacyChecksum(this.buffer, this.view, at, form.pageBytes, body);
    if (kind === 'none') return 'off';
    return kind ? 'good' : this.isHidden(form, at) ? 'hidden' : 'bad';
  }

  /** The key version of an encrypted page stands where a checksum used to be. */
  isEncrypted(form: PageForm, at: number): boolean {
    return form.fullCrc32 && this.view.getUint32(at) !== 0;
  }

  isCompressed(form: PageForm, at: number): boolean {
    return form.fullCrc32 && (this.view.getUint16(at + PAGE.type) & COMPRESSED_BIT) !== 0;
  }

  private fullCrc32(at: number, pageBytes: number, body: number): Proof {
    const { view } = this;
    const type = view.getUint16(at + PAGE.type);
    const compressedBytes = (type & ~COMPRESSED_BIT) << 8;
    if (type & COMPRESSED_BIT && compressedBytes >= 64 && compressedBytes < pageBytes) {
      const end = at + compressedBytes - 4;
      return view.getUint32(end) === crc32c(this.buffer, at, end) ? 'good' : 'bad';
    }
    return this.lsnAgrees(at, pageBytes) && view.getUint32(at + pageBytes - 4) === body ? 'good' : 'bad';
  }

  /** The low half of the LSN stands at both ends; of an encrypted page the end is encrypted too, the checksum excepted. */
  private lsnAgrees(at: number, pageBytes: number): boolean {
    return this.view.getUint32(at) !== 0 || this.view.getUint32(at + PAGE.lsn + 4) === this.view.getUint32(at + pageBytes - 8);
  }

  private isHidden(form: PageForm, at: number): boolean {
    const type = this.view.getUint16(at + PAGE.type);
    if (HIDDEN_TYPES.includes(type)) return true;
    const isFirst = this.view.getUint32(at + PAGE.number) === 0;
    return form.family === 'mariadb' && type !== RTREE && !isFirst && this.view.getUint32(at + PAGE.keyVersion) !== 0;
  }
}
