/**
 * The files of a guest: listed and mapped in the appliance, read on the host straight from the image.
 * Every file system is mounted read-only at a place of its own (which replays its log onto the overlay); links are followed
 * here, by the guest's own mount table, so that none can lead out of the guest.
 */
import { composeMap, sliceMap } from '../../bytes/map.js';
import { volumeMap } from '../../bytes/volume-map.js';
import type { ByteMap, GuestEntry, GuestFiles, GuestLocation, OperatingSystem, UntestedItem, Volume } from '../../types.js';
import type { Exposure } from '../lab.js';
import { shellQuote } from '../lab.js';
import type { ApplianceSession } from './appliance.js';
import { type BtrfsChunk, chunkTreeCommand, parseChunkTree, translateExtents } from './btrfs-chunks.js';
import { FILEFRAG, type FileExtent, parseFilefrag } from './file-extents.js';
import { followLinks } from './links.js';
import type { VolumeListing } from './listing.js';
import { listVolumes, mountForLooking, readAll } from './look.js';
import { MapRequests } from './map-requests.js';
import { printWords } from './scripts.js';

const LIST_TIMEOUT_MS = 600_000;
/** So few extents fit into an answer of the appliance's own channel, which saves the way over the scratch disk. */
const SHORT_ANSWER_FILES = 512;

interface View {
  places: Map<string, string>;
  listings: Promise<Map<string, VolumeListing>> | null;
  maps: Map<string, Promise<ByteMap | null>>;
  chunks: Map<string, BtrfsChunk[]>;
  requests: MapRequests;
}

export class ApplianceFiles implements GuestFiles {
  private view: Promise<View> | null = null;
  private generation = -1;
  private systems: OperatingSystem[] = [];
  /** Volumes whose file system could not be opened, and why. */
  readonly unreadable = new Map<string, UntestedItem>();

  constructor(
    private readonly appliance: ApplianceSession,
    private readonly exposure: Exposure,
    private readonly volumes: Volume[],
    /** False: take every file through the appliance. The way to prove that mapping gives the same bytes. */
    private readonly mapping = true,
  ) {}

  /** Absolute links need to know which volume is mounted where. */
  useSystems(systems: OperatingSystem[]): void {
    this.systems = systems;
  }

  async stat(location: GuestLocation): Promise<GuestEntry | null> {
    return (await this.listing(location.volume))?.get(location.path) ?? null;
  }

  async list(folder: GuestLocation, options: { recursive?: boolean } = {}): Promise<GuestEntry[]> {
    return (await this.listing(folder.volume))?.below(folder.path, options.recursive ?? false) ?? [];
  }

  resolve(location: GuestLocation): Promise<GuestLocation | null> {
    return followLinks(location, this.systems, (place) => this.stat(place));
  }

  /** Every listed volume, for searches over the whole guest. */
  async listings(): Promise<VolumeListing[]> {
    return [...(await this.listed(await this.open())).values()];
  }

  async map(files: GuestLocation[]): Promise<(ByteMap | null)[]> {
    return (await this.open()).requests.map(files);
  }

  private async mapNow(files: GuestLocation[]): Promise<(ByteMap | null)[]> {
    const result: (ByteMap | null)[] = files.map(() => null);
    const byVolume = new Map<string, { entry: GuestEntry; index: number }[]>();
    for (const [index, file] of files.entries()) {
      const entry = await this.stat(file);
      if (entry?.type !== 'file') continue;
      const wanted = byVolume.get(file.volume);
      if (wanted) wanted.push({ entry, index });
      else byVolume.set(file.volume, [{ entry, index }]);
    }
    for (const [volume, wanted] of byVolume) {
      const maps = await this.mapOnVolume(
        volume,
        wanted.map((item) => item.entry),
      );
      for (const [i, item] of wanted.entries()) result[item.index] = maps[i] ?? null;
    }
    return result;
  }

  private async mapOnVolume(id: string, entries: GuestEntry[]): Promise<(ByteMap | null)[]> {
    const view = await this.open();
    const volume = this.volumes.find((candidate) => candidate.id === id);
    const place = view.places.get(id);
    if (!volume || place === undefined) return entries.map(() => null);
    const base = this.mapping && tellsExtents(volume) ? await this.volumeBytes(view, volume) : null;
    const extents = base ? await this.extents(view, volume, place, entries) : entries.map(() => null);
    const maps = entries.map((entry, i) => (base && extents[i] ? composeFile(entry.sizeBytes, extents[i], base) : null));
    const rest = entries.filter((_, i) => maps[i] === null);
    const copies = await this.copyAll(place, rest);
    return maps.map((map, i) => map ?? copies.get(entries[i] as GuestEntry) ?? null);
  }

  private volumeBytes(view: View, volume: Volume): Promise<ByteMap | null> {
    let map = view.maps.get(volume.id);
    if (!map) {
      map = volumeMap(volume, this.exposure, 'current');
      view.maps.set(volume.id, map);
    }
    return map;
  }

  private async extents(view: View, volume: Volume, place: string, entries: GuestEntry[]): Promise<(FileExtent[] | null)[]> {
    // A line feed in a name would let the guest forge lines of filefrag's answer.
    const askable = entries.filter((entry) => !/[\n\r]/.test(entry.location.path) && entry.sizeBytes > 0);
    const names = askable.map((entry) => place + entry.location.path);
    if (names.length === 0) return entries.map((entry) => (entry.sizeBytes === 0 ? [] : null));
    const command = `${printWords(names)} | ${FILEFRAG}`;
    const printed = names.length > SHORT_ANSWER_FILES ? await this.text(command) : await this.shortText(command);
    const found = parseFilefrag(printed, names);
    const byPath = new Map(askable.map((entry, i) => [entry.location.path, found[i] ?? null]));
    const all = entries.map((entry) => (entry.sizeBytes === 0 ? [] : (byPath.get(entry.location.path) ?? null)));
    if (volume.content.kind !== 'filesystem' || volume.content.type !== 'btrfs') return all;
    const chunks = await this.btrfsChunks(view, volume);
    return all.map((extents) => extents && translateExtents(extents, chunks));
  }

  private async btrfsChunks(view: View, volume: Volume): Promise<BtrfsChunk[]> {
    const known = view.chunks.get(volume.id);
    if (known) return known;
    const chunks = parseChunkTree(await this.text(chunkTreeCommand(shellQuote(volume.device))));
    view.chunks.set(volume.id, chunks);
    return chunks;
  }

  /** Files taken whole through the appliance, for what is not stored plainly: all in one stream, cut by their sizes. */
  private async copyAll(place: string, entries: GuestEntry[]): Promise<Map<GuestEntry, ByteMap>> {
    const copies = new Map<GuestEntry, ByteMap>();
    if (entries.length === 0) return copies;
    const list = printWords(entries.map((entry) => place + entry.location.path));
    const all = await this.appliance.stream(`${list} | xargs -0 -r cat --`, { timeoutMs: LIST_TIMEOUT_MS });
    const expected = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    if (all.sizeBytes !== expected) {
      // One of them cannot be read to its end: alone it shows which, and the others are not lost with it.
      for (const entry of entries.length > 1 ? entries : []) for (const [key, map] of await this.copyAll(place, [entry])) copies.set(key, map);
      return copies;
    }
    let offset = 0;
    for (const entry of entries) {
      copies.set(entry, sliceMap(all, offset, entry.sizeBytes));
      offset += entry.sizeBytes;
    }
    return copies;
  }

  private async shortText(script: string): Promise<string> {
    return (await this.appliance.script(script, { timeoutMs: LIST_TIMEOUT_MS })).stdout;
  }

  private async text(script: string): Promise<string> {
    return (await readAll(await this.appliance.stream(script, { timeoutMs: LIST_TIMEOUT_MS }))).toString('utf8');
  }

  private async listing(volume: string): Promise<VolumeListing | null> {
    return (await this.listed(await this.open())).get(volume) ?? null;
  }

  private listed(view: View): Promise<Map<string, VolumeListing>> {
    view.listings ??= listVolumes(this.appliance, view.places);
    return view.listings;
  }

  /** Mounts all file systems for looking; anew when something else used the guest meanwhile. */
  private open(): Promise<View> {
    if (!this.view || this.generation !== this.appliance.generation) {
      this.view = this.mountAll();
      this.generation = this.appliance.generation; // after mountAll began: its own unmounting counts too, at once
    }
    return this.view;
  }

  private async mountAll(): Promise<View> {
    await this.appliance.unmountAll('kept');
    this.appliance.scratch.reset();
    const { places, unreadable } = await mountForLooking(this.appliance, this.volumes);
    this.unreadable.clear();
    for (const [volume, item] of unreadable) this.unreadable.set(volume, item);
    return { places, listings: null, maps: new Map(), chunks: new Map(), requests: new MapRequests((files) => this.mapNow(files)) };
  }
}

/** Types whose kernel driver answers FIEMAP. Of others, what filefrag prints cannot be trusted: their files are copied. */
const MAPPABLE = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']);

function tellsExtents({ content }: Volume): boolean {
  return content.kind === 'filesystem' && MAPPABLE.has(content.type);
}

/** A file's extents on its volume, resolved to the image files. What lies beyond the last extent is a hole. */
function composeFile(sizeBytes: number, extents: FileExtent[], base: ByteMap): ByteMap {
  const placements = extents.map((extent) => ({
    offset: extent.offset,
    lengthBytes: extent.lengthBytes,
    inner: extent.deviceOffset === null ? null : base,
    innerOffset: extent.deviceOffset ?? 0,
  }));
  return sliceMap(composeMap(sizeBytes, placements), 0, sizeBytes);
}
