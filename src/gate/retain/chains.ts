/** Which restore point needs the files of which other: qcow2 chains across folders, and restore points inside the folders of others. */
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SnapproofError } from '../../errors.js';
import { openImages } from '../../images/index.js';
import type { SnapshotImage } from '../../types.js';
import type { FoundPoint } from './discover.js';
import type { RetainPoint } from './plan.js';

export type Needs = Pick<RetainPoint, 'needs' | 'doubts' | 'needsUnknown'>;

/** @param folders in which members of chains may lie: all that were named */
export async function chainsOf(found: FoundPoint[], folders: string[]): Promise<Map<FoundPoint, Needs>> {
  const owners = await Owners.of(found);
  const needs = new Map<FoundPoint, Needs>();
  for (const point of found) needs.set(point, await needsOf(point, owners, folders));
  return needs;
}

async function needsOf(point: FoundPoint, owners: Owners, folders: string[]): Promise<Needs> {
  const images = await opened(point, folders);
  if (typeof images === 'string') return { needs: owners.around(point), doubts: [images], needsUnknown: 'all' };
  const refused = images.flatMap((image) => image.refused ?? []);
  const files = [
    ...images.flatMap(({ layers }) => layers.map(({ path }) => path)),
    ...(point.restorePoint.memory ? [await real(point.restorePoint.memory.path)] : []),
  ];
  const needed = files.flatMap((file) => owners.of(file)).filter((owner) => owner !== point);
  const ids = [...needed.map(({ restorePoint }) => restorePoint.id), ...owners.around(point)];
  return {
    needs: [...new Set(ids)],
    doubts: refused.map(({ message }) => message),
    // What a header does not tell us, it may still name: a damaged overlay can be repaired, its base not brought back.
    needsUnknown: refused.length === 0 ? 'no' : refused.some(({ code }) => /unreadable|changed-while-read/.test(code)) ? 'all' : 'machine',
  };
}

async function opened({ restorePoint }: FoundPoint, folders: string[]): Promise<SnapshotImage[] | string> {
  try {
    return await openImages(restorePoint, folders);
  } catch (error) {
    if (error instanceof SnapproofError) return error.message;
    throw error;
  }
}

/** By file, and by folder: whoever owns a folder owns all that lies in it. */
class Owners {
  private readonly byPath = new Map<string, FoundPoint[]>();

  static async of(found: FoundPoint[]): Promise<Owners> {
    const owners = new Owners();
    for (const point of found) {
      const { disks, memory, configs } = point.restorePoint;
      const files = await Promise.all([...disks.map(({ path }) => path), ...(memory ? [memory.path] : []), ...configs].map(real));
      for (const path of new Set([point.path, ...files])) owners.byPath.set(path, [...(owners.byPath.get(path) ?? []), point]);
    }
    return owners;
  }

  of(file: string): FoundPoint[] {
    return [file, ...above(file)].flatMap((path) => this.byPath.get(path) ?? []);
  }

  /** Ids of restore points in whose folders this one lies: with them it would go too. */
  around(point: FoundPoint): string[] {
    return above(point.path).flatMap((path) => (this.byPath.get(path) ?? []).filter((other) => other !== point).map(({ restorePoint }) => restorePoint.id));
  }
}

function above(path: string): string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...above(folder)];
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
