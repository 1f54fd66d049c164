/** Which mounted file systems were frozen in saved memory, beside what the disks say. */
import type { CheckContext } from '../../../src/check.js';
import type { CaptureState } from '../../../src/types.js';
import type { MountedFileSystem } from '../linux/mounts.js';

export interface FrozenMount {
  device: string;
  type: string;
  /** 1 to 4: writes, page faults, the file system's own work, all. */
  level: number;
  /** Of the restore point, by UUID; null when none has it. */
  volume: string | null;
  captured: CaptureState['state'] | null;
}

/** Evidence stays small; one frozen file system is enough to fail. */
const MAX_TOLD = 100;

export interface FrozenEvidence {
  release: string;
  mounted: number;
  /** The first 100. */
  frozen: FrozenMount[];
  /** The policy asks for resuming from memory. */
  resumeWanted: boolean;
}

export function evidenceOf(
  mounts: MountedFileSystem[],
  release: string,
  { inspection, depth }: Pick<CheckContext<unknown>, 'inspection' | 'depth'>,
): FrozenEvidence {
  const frozen = mounts
    .filter((mount) => mount.frozen !== 0)
    .slice(0, MAX_TOLD)
    .map(({ device, type, uuid, frozen: level }): FrozenMount => {
      const volume = inspection.volumes.find(({ content }) => uuid !== null && content.kind === 'filesystem' && content.uuid === uuid);
      return { device, type, level, volume: volume?.id ?? null, captured: volume?.captureState?.state ?? null };
    });
  return { release, mounted: mounts.length, frozen, resumeWanted: depth === 'resume' || depth === 'full' };
}
