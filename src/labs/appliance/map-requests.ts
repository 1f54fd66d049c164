/** Requests for the maps of files, gathered: what is asked for at the same time, as by the finders of all engines, goes to the appliance in one call. */
import type { ByteMap, GuestLocation } from '../../types.js';

type MapNow = (files: GuestLocation[]) => Promise<(ByteMap | null)[]>;

interface Request {
  file: GuestLocation;
  resolve(map: ByteMap | null): void;
  reject(error: unknown): void;
}

const REMEMBERED_FILES = 5000;
const REMEMBERED_EXTENTS = 8;

export class MapRequests {
  /** Of small files that were asked for: they are often asked for again. */
  private readonly mapped = new Map<string, ByteMap>();
  /** Asked for and not answered yet. */
  private readonly asked = new Map<string, Promise<ByteMap | null>>();
  /** Of those, what has not gone to the appliance. */
  private readonly queue: Request[] = [];

  constructor(private readonly mapNow: MapNow) {}

  /** In the order asked. */
  map(files: GuestLocation[]): Promise<(ByteMap | null)[]> {
    return Promise.all(files.map((file) => this.mapped.get(keyOf(file)) ?? this.request(file)));
  }

  private request(file: GuestLocation): Promise<ByteMap | null> {
    const key = keyOf(file);
    const asked = this.asked.get(key);
    if (asked) return asked;
    const result = new Promise<ByteMap | null>((resolve, reject) => this.queue.push({ file, resolve, reject }));
    const forget = () => void this.asked.delete(key);
    this.asked.set(key, result);
    result.then(forget, forget);
    if (this.queue.length === 1) setImmediate(() => void this.flush());
    return result;
  }

  private async flush(): Promise<void> {
    const batch = this.queue.splice(0);
    try {
      const maps = await this.mapNow(batch.map(({ file }) => file));
      for (const [i, { file, resolve }] of batch.entries()) {
        const map = maps[i] ?? null;
        if (map) this.remember(file, map);
        resolve(map);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private remember(file: GuestLocation, map: ByteMap): void {
    if (map.extents.length <= REMEMBERED_EXTENTS && this.mapped.size < REMEMBERED_FILES) this.mapped.set(keyOf(file), map);
  }
}

function keyOf({ volume, path }: GuestLocation): string {
  return `${volume}\0${path}`;
}
