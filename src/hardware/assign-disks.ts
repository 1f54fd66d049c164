/**
 * Which disk of the restore point is which disk of the machine: by what the manifest says, else by the order of libvirt's targets, else
 * by order; where the stream tells how large a disk was, sizes have the last word.
 */
import type { SnapshotImage } from '../types.js';
import type { DiskSlot } from './stream-machine.js';

export type DiskHint = 'manifest' | 'libvirt' | 'order';

export interface Assignment {
  /** By slot; null: no disk of the restore point is left for it. */
  disks: (string | null)[];
  /** Disks for which the machine has no place that the stream names. */
  left: SnapshotImage[];
  /** Slots that got a disk of another size. */
  wrongSize: { slot: DiskSlot; image: SnapshotImage }[];
  /** Sizes contradicted what was said of the order, and were followed. */
  reordered: boolean;
}

const SECTOR_BYTES = 512;

/** @param wanted by place: the name of the disk there. Empty: nothing is known but the order. */
export function assignDisks(slots: DiskSlot[], images: SnapshotImage[], wanted: Map<string, string>): Assignment {
  const said = bySaying(slots, images, wanted);
  const wrong = wrongSizes(said, slots, images);
  const sized = wrong.length > 0 ? bySize(slots, images) : null;
  const disks = sized ?? said;
  const used = new Set(disks);
  return { disks, left: images.filter(({ name }) => !used.has(name)), wrongSize: sized ? [] : wrong, reordered: sized !== null && wanted.size > 0 };
}

function bySaying(slots: DiskSlot[], images: SnapshotImage[], wanted: Map<string, string>): (string | null)[] {
  const names = images.map(({ name }) => name);
  const disks = slots.map(({ place }) => {
    const name = wanted.get(place);
    return name !== undefined && names.includes(name) ? name : null;
  });
  const free = names.filter((name) => !disks.includes(name));
  // What is certainly a disk comes before what may be a CD drive.
  for (const perhapsCd of [false, true]) {
    for (const [index, slot] of slots.entries())
      if (disks[index] === null && slot.perhapsCd === perhapsCd && !isSaid(slot, wanted)) disks[index] = free.shift() ?? null;
  }
  return disks;
}

/** The saying leaves this place without a disk on purpose: it is a CD drive. */
function isSaid(slot: DiskSlot, wanted: Map<string, string>): boolean {
  return slot.perhapsCd && wanted.size > 0 && !wanted.has(slot.place) && [...wanted.keys()].some((place) => place.includes(' '));
}

function wrongSizes(disks: (string | null)[], slots: DiskSlot[], images: SnapshotImage[]): Assignment['wrongSize'] {
  return slots.flatMap((slot, index) => {
    const image = images.find(({ name }) => name === disks[index]);
    return image && !fits(slot, image) ? [{ slot, image }] : [];
  });
}

/** Each slot whose size is known gets the first free disk of that size, the others what is left; null when one finds none. */
function bySize(slots: DiskSlot[], images: SnapshotImage[]): (string | null)[] | null {
  const free = [...images];
  const disks: (string | null)[] = slots.map(() => null);
  for (const [index, slot] of slots.entries()) {
    if (slot.capacityBytes === null) continue;
    const at = free.findIndex((image) => fits(slot, image));
    if (at >= 0) disks[index] = free.splice(at, 1)[0]?.name ?? null;
  }
  for (const [index, slot] of slots.entries()) if (slot.capacityBytes === null) disks[index] = free.shift()?.name ?? null;
  return free.length === 0 ? disks : null;
}

function fits({ capacityBytes }: DiskSlot, { virtualSizeBytes }: SnapshotImage): boolean {
  return capacityBytes === null || capacityBytes === Math.floor(virtualSizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
}
