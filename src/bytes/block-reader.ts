/**
 * Reads parts of byte maps into a buffer the caller reuses: plain files straight into it (also into WebAssembly memory) without
 * a copy and without waiting, NBD exports by the client. Keeps the sources it met last open.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { FormatError } from '../errors.js';
import type { ByteMap, Extent, SourceSpec } from '../types.js';
import { NbdSource } from './nbd.js';
import { extentsWithin } from './source.js';

const MAX_OPEN = 64;
/** Reading plain files waits for nothing: after so many bytes everybody else has a turn, so that timeouts and Ctrl-C are heard. */
const TURN_BYTES = 32 * 1024 * 1024;

type Open = { kind: 'file'; descriptor: number } | { kind: 'nbd'; source: Promise<NbdSource> };

export class BlockReader {
  private readonly open = new Map<string, Open>();
  private sinceTurn = 0;

  /** Fills `target[0..lengthBytes)` with the bytes of `map` from `offset` on. Seldom gives anything to wait for where all of it is in files. */
  read(map: ByteMap, offset: number, target: Uint8Array, lengthBytes: number): Promise<void> | undefined {
    let pending: Promise<void>[] | undefined;
    for (const extent of extentsWithin(map.extents, offset, lengthBytes)) {
      const waiting = this.readExtent(map, extent, target.subarray(extent.offset - offset, extent.offset - offset + extent.lengthBytes));
      if (waiting) {
        pending ??= [];
        pending.push(waiting);
      }
    }
    if (pending) return Promise.all(pending).then(() => undefined);
    this.sinceTurn += lengthBytes;
    if (this.sinceTurn < TURN_BYTES) return undefined;
    this.sinceTurn = 0;
    return turn();
  }

  async close(): Promise<void> {
    for (const key of [...this.open.keys()]) await this.forget(key);
  }

  private readExtent(map: ByteMap, extent: Extent, target: Uint8Array): Promise<void> | undefined {
    if (extent.source === null) {
      target.fill(0);
      return undefined;
    }
    const spec = map.sources[extent.source];
    if (!spec) throw new FormatError({ code: 'bytes.map', message: `an extent names source ${extent.source} of ${map.sources.length}` });
    const source = this.source(spec);
    if (source.kind === 'file') {
      readFully(source.descriptor, target, extent.sourceOffset);
      return undefined;
    }
    return source.source.then((nbd) => nbd.read(extent.sourceOffset, target.length)).then((data) => target.set(data));
  }

  private source(spec: SourceSpec): Open {
    const key = spec.kind === 'file' ? spec.path : `${spec.socketPath} ${spec.exportName}`;
    const known = this.open.get(key);
    if (known) return known;
    const oldest = this.open.size >= MAX_OPEN ? this.open.keys().next().value : undefined;
    if (oldest !== undefined) void this.forget(oldest);
    const opened: Open =
      spec.kind === 'file' ? { kind: 'file', descriptor: openSync(spec.path, 'r') } : { kind: 'nbd', source: NbdSource.open(spec.socketPath, spec.exportName) };
    this.open.set(key, opened);
    return opened;
  }

  private async forget(key: string): Promise<void> {
    const source = this.open.get(key);
    this.open.delete(key);
    if (source?.kind === 'file') closeSync(source.descriptor);
    else if (source) await source.source.then((nbd) => nbd.close()).catch(() => {});
  }
}

function readFully(descriptor: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(descriptor, target, done, target.length - done, position + done);
    if (count === 0) throw new RangeError(`a file ended at ${position + done} while it was read, ${target.length - done} bytes before it should`);
    done += count;
  }
}
