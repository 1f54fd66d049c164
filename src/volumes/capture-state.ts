/** A file system's state as it was captured, read from its bytes before anything mounts it. */
import type { ByteSource, CaptureState, VolumeContent } from '../types.js';
import { readBtrfsState } from './btrfs/capture-state.js';
import { readExtState } from './ext/capture-state.js';
import { readExfatState, readFatState } from './fat/capture-state.js';
import { readNtfsState } from './ntfs/capture-state.js';
import { readXfsState } from './xfs/capture-state.js';

const READERS: Partial<Record<string, (source: ByteSource) => Promise<CaptureState>>> = {
  ext2: readExtState,
  ext3: readExtState,
  ext4: readExtState,
  xfs: readXfsState,
  btrfs: readBtrfsState,
  ntfs: readNtfsState,
  fat: readFatState,
  exfat: readExfatState,
};

/**
 * Null when the content has no state of its own, or none that is known here.
 * `source` must give the bytes as captured. What the bytes hold never throws; a read that fails does.
 */
export async function readCaptureState(source: ByteSource, content: VolumeContent): Promise<CaptureState | null> {
  const reader = content.kind === 'filesystem' ? READERS[content.type] : undefined;
  return reader ? reader(source) : null;
}
