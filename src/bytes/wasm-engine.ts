/** Runs what wasm-assembler.ts puts together. */
import { assemble, type WasmFunction } from './wasm-assembler.js';

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export type WasmModule = object;

/** The part of the global `WebAssembly` used here: Node's own types do not declare it. */
interface WasmEngine {
  validate(code: Uint8Array): boolean;
  Memory: new (size: { initial: number }) => WasmMemory;
  Module: new (code: Uint8Array) => WasmModule;
  Instance: new (module: WasmModule, imports: object) => { exports: Record<string, unknown> };
}

const engine = (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly;
const PAGE_BYTES = 65536;
const modules = new Map<string, WasmModule | null>();

/**
 * Code that is put together and compiled once in each thread: both take longer than many blocks of pages. `key` names all that it depends on.
 * @returns null where this processor or runtime cannot run it: SIMD is missing on some.
 */
export function compiled(key: string, make: () => WasmFunction): WasmModule | null {
  const known = modules.get(key);
  if (known !== undefined) return known;
  const code = assemble(make());
  const module = engine.validate(code) ? new engine.Module(code) : null;
  modules.set(key, module);
  return module;
}

/** The function of a module, working on a memory. */
export function instantiate(module: WasmModule, memory: WasmMemory): (...args: number[]) => void {
  const instance = new engine.Instance(module, { env: { memory } });
  return instance.exports.run as (...args: number[]) => void;
}

/** Beside a buffer, for tables and what is being added up. Memory that nobody touches costs nothing. */
const ROOM_BYTES = 1024 * 1024;
const ALIGNMENT = 64;

/** A buffer at address 0 of a memory, which several functions may share: each takes further room for itself. */
export class WasmSpace {
  readonly memory: WasmMemory;
  readonly buffer: Uint8Array;
  private taken: number;

  constructor(bufferBytes: number) {
    this.memory = new engine.Memory({ initial: Math.ceil((bufferBytes + ROOM_BYTES) / PAGE_BYTES) });
    this.buffer = new Uint8Array(this.memory.buffer, 0, bufferBytes);
    this.taken = bufferBytes;
  }

  /** Address of so many bytes, all zero. */
  take(bytes: number): number {
    const address = Math.ceil(this.taken / ALIGNMENT) * ALIGNMENT;
    this.taken = address + bytes;
    if (this.taken > this.memory.buffer.byteLength) throw new RangeError(`there is no room for ${bytes} bytes beside the buffer`);
    return address;
  }
}
