/** Reads what the data directory says of itself: control file, backup label, standby and recovery marks. */
import type { DatabaseInstance, GuestFiles } from '../../src/types.js';
import { inside, readSmallFile } from './cluster-files.js';
import { type ControlFile, type ControlResult, parseControl } from './format/control.js';
import { parseLsn } from './format/lsn.js';

export interface BackupLabel {
  redo: number;
  timeline: number;
  checkpoint: number;
  /** The data are consistent only once the log's own mark of the backup's end was replayed. */
  endRequired: boolean;
}

/** Everything recovery starts from. Plain data. */
export interface ClusterHead {
  control: ControlResult;
  backupLabel: BackupLabel | null;
  /** Why a backup label that is there cannot be read. */
  backupLabelProblem: string | null;
  standby: boolean;
  archiveRecovery: boolean;
  tablespaceMap: boolean;
  /** `fsync = off` in the data directory's own configuration: nothing orders log before data. */
  fsyncOff: boolean;
}

const LABEL_BYTES = 65536;
const SETTINGS_BYTES = 1024 * 1024;

/**
 * The control file and its companions of the cluster at `instance.location`. Missing files are findings, not errors.
 * Rejects with LabError where the guest's files cannot be read at all.
 */
export async function readControl(files: GuestFiles, instance: DatabaseInstance): Promise<ClusterHead> {
  const here = (name: string) => inside(instance.location, name);
  const bytes = await readSmallFile(files, here('global/pg_control'), 8192);
  const label = await readSmallFile(files, here('backup_label'), LABEL_BYTES);
  const parsed = label ? parseBackupLabel(label.toString('latin1')) : null;
  const exists = async (name: string) => (await files.stat(here(name))) !== null;
  return {
    control: bytes ? parseControl(bytes) : { kind: 'damaged', why: 'global/pg_control is missing' },
    backupLabel: parsed,
    backupLabelProblem: label && !parsed ? 'backup_label names no start of the log' : null,
    standby: await exists('standby.signal'),
    archiveRecovery: (await exists('recovery.signal')) || (await exists('recovery.conf')),
    tablespaceMap: await exists('tablespace_map'),
    fsyncOff: await isFsyncOff(files, instance),
  };
}

/** postgresql.auto.conf wins over postgresql.conf, the last line of a file over those before it. */
async function isFsyncOff(files: GuestFiles, instance: DatabaseInstance): Promise<boolean> {
  let off = false;
  for (const name of ['postgresql.conf', 'postgresql.auto.conf']) {
    const bytes = await readSmallFile(files, inside(instance.location, name), SETTINGS_BYTES);
    const values = [...(bytes?.toString('latin1') ?? '').matchAll(/^[ \t]{0,20}fsync[ \t]{0,20}=?[ \t]{0,20}'?(\w{1,5})/gim)];
    const last = values.at(-1)?.[1]?.toLowerCase();
    if (last) off = ['off', 'of', 'false', 'f', 'no', 'n', '0'].includes(last);
  }
  return off;
}

/** `START WAL LOCATION: 0/2000028 (file 000000010000000000000002)` and `CHECKPOINT LOCATION: 0/2000060`; null when they are not there. */
export function parseBackupLabel(text: string): BackupLabel | null {
  const start = /^START WAL LOCATION: (\S{3,17}) \(file ([0-9A-F]{8})[0-9A-F]{16}\)/m.exec(text);
  const redo = start ? parseLsn(start[1] as string) : null;
  const checkpointText = /^CHECKPOINT LOCATION: (\S{3,17})/m.exec(text);
  const checkpoint = checkpointText ? parseLsn(checkpointText[1] as string) : null;
  if (!start || redo === null || checkpoint === null) return null;
  const endRequired = /^BACKUP METHOD: streamed/m.test(text) && !/^BACKUP FROM: standby/m.test(text);
  return { redo, checkpoint, timeline: Number.parseInt(start[2] as string, 16), endRequired };
}

/** Where recovery starts, and the checkpoint record it needs. */
export function recoveryStart(head: ClusterHead, control: ControlFile): { redo: number; checkpoint: number; timeline: number } {
  return head.backupLabel ?? { redo: control.redo, checkpoint: control.checkpoint, timeline: control.timeline };
}
