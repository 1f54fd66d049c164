/**
 * WebAssembly SIMD that adds (XOR) all pages of a buffer to each other, in two ways at once: all at the same place, and each page a vector
 * after the one before. Pages are taken four at a time and two vectors of each, so that all that is being added stays in registers.
 */
import { type Code, I32, V128, wasm } from './wasm-assembler.js';

const VECTOR_BYTES = 16;
export const GROUP_PAGES = 4;
/** Vectors of each page in one step. */
const STEP = 2;
const STEP_BYTES = STEP * VECTOR_BYTES;

export interface SumPlan {
  pageBytes: number;
  /** A multiple of GROUP_PAGES; they begin at address 0. */
  pages: number;
  /** Addresses: of the sum of a page's length, and of the one that is longer by as many vectors as there are further pages. */
  sums: [number, number];
  firstLocal: number;
}

export function addPages({ pageBytes, pages, sums, firstLocal }: SumPlan): { locals: number[]; body: Code } {
  const adder = new PageAdder(pageBytes, sums, firstLocal);
  const { group, shift } = adder;
  const clear = (address: number, bytes: number) => [wasm.i32Const(address), wasm.i32Const(0), wasm.i32Const(bytes), wasm.memoryFill];
  const body = [
    [clear(sums[0], pageBytes), clear(sums[1], pageBytes + (pages - 1) * VECTOR_BYTES)],
    [wasm.i32Const(0), wasm.localSet(group), wasm.i32Const(0), wasm.localSet(shift)],
    wasm.repeatWhile([
      adder.addGroup(),
      advance(shift, GROUP_PAGES * VECTOR_BYTES),
      advance(group, GROUP_PAGES * pageBytes),
      [wasm.localGet(group), wasm.i32Const(pages * pageBytes), wasm.i32LtU],
    ]),
  ];
  return { locals: adder.locals, body };
}

class PageAdder {
  readonly locals: number[];
  /** Locals: where the group starts, and how far the second sum of its first page is behind. */
  readonly group: number;
  readonly shift: number;
  private readonly at: number;
  private readonly behind: number;

  constructor(
    private readonly pageBytes: number,
    private readonly sums: [number, number],
    private readonly firstLocal: number,
  ) {
    this.group = firstLocal + GROUP_PAGES;
    this.shift = this.group + 1;
    this.at = this.group + 2;
    this.behind = this.group + 3;
    const vectors = STEP + (STEP + GROUP_PAGES - 1) + 1;
    this.locals = [...Array<number>(GROUP_PAGES + 4).fill(I32), ...Array<number>(vectors).fill(V128)];
  }

  private page = (k: number): number => this.firstLocal + k;
  private together = (i: number): number => this.behind + 1 + i;
  private moved = (i: number): number => this.together(STEP) + i;
  private loaded = (): number => this.moved(STEP + GROUP_PAGES - 1);

  addGroup(): Code {
    const carried = Array.from({ length: GROUP_PAGES - 1 }, (_, i) => i);
    return [
      each(GROUP_PAGES, (k) => [wasm.localGet(this.group), wasm.i32Const(k * this.pageBytes), wasm.i32Add, wasm.localSet(this.page(k))]),
      [wasm.i32Const(0), wasm.localSet(this.at), wasm.localGet(this.shift), wasm.localSet(this.behind)],
      carried.flatMap((i) => [wasm.v128Const([0, 0, 0, 0]), wasm.localSet(this.moved(i))]),
      wasm.repeatWhile([
        this.addStep(),
        each(GROUP_PAGES, (k) => advance(this.page(k))),
        advance(this.behind),
        advance(this.at),
        [wasm.localGet(this.at), wasm.i32Const(this.pageBytes), wasm.i32LtU],
      ]),
      carried.flatMap((i) => this.addTo(this.behind, this.sums[1] + i * VECTOR_BYTES, this.moved(i))),
    ];
  }

  /** Vector j of page k belongs to vector j of the first sum, and to vector j + k of the second: those not complete yet are carried on. */
  private addStep(): Code {
    const begun = new Set(Array.from({ length: GROUP_PAGES - 1 }, (_, i) => i));
    const take = (k: number, j: number): Code => {
      const moved = this.moved(j + k);
      const isNew = !begun.has(j + k);
      begun.add(j + k);
      return [
        [wasm.localGet(this.page(k)), wasm.v128Load(j * VECTOR_BYTES), wasm.localTee(this.loaded())],
        k === 0 ? [] : [wasm.localGet(this.together(j)), wasm.v128Xor],
        [wasm.localSet(this.together(j)), wasm.localGet(this.loaded())],
        isNew ? [] : [wasm.localGet(moved), wasm.v128Xor],
        wasm.localSet(moved),
      ];
    };
    return [
      each(GROUP_PAGES, (k) => each(STEP, (j) => take(k, j))),
      each(STEP, (j) => this.addTo(this.at, this.sums[0] + j * VECTOR_BYTES, this.together(j))),
      each(STEP, (j) => this.addTo(this.behind, this.sums[1] + j * VECTOR_BYTES, this.moved(j))),
      each(GROUP_PAGES - 1, (i) => [wasm.localGet(this.moved(STEP + i)), wasm.localSet(this.moved(i))]),
    ];
  }

  private addTo(base: number, address: number, vector: number): Code {
    return [wasm.localGet(base), wasm.localGet(base), wasm.v128Load(address), wasm.localGet(vector), wasm.v128Xor, wasm.v128Store(address)];
  }
}

function each(count: number, code: (i: number) => Code): Code {
  return Array.from({ length: count }, (_, i) => code(i));
}

function advance(local: number, bytes = STEP_BYTES): Code {
  return [wasm.localGet(local), wasm.i32Const(bytes), wasm.i32Add, wasm.localSet(local)];
}
