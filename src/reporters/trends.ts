/** How a machine's restore points fared over time: what its records say, oldest first. */
import type { FilledRecord } from './dossier.js';

export interface TrendPoint {
  /** Milliseconds since 1970. */
  at: number;
  recordId: string;
  verdict: string;
  bootSeconds: number | null;
  resumeSeconds: number | null;
  /** Of the ways back: by software emulation, which is many times slower. */
  emulated: boolean;
  replayBytes: number;
  /** Zero where nothing was measured. */
  replaySeconds: number;
  sizeBytes: number;
  verifySeconds: number;
}

/** More would not be seen apart. */
const MOST_POINTS = 60;

/** The last records of a machine. Records whose date is none are left out. */
export function trendOf(records: readonly FilledRecord[]): TrendPoint[] {
  return records
    .map(pointOf)
    .filter(({ at }) => Number.isFinite(at) && Math.abs(at) < 8e15)
    .sort((a, b) => a.at - b.at)
    .slice(-MOST_POINTS);
}

function pointOf(record: FilledRecord): TrendPoint {
  const way = (wanted: 'boot' | 'resume') => record.ways.find((one) => one.way === wanted);
  return {
    at: Date.parse(record.startedAt),
    recordId: record.id,
    verdict: record.verdict,
    bootSeconds: way('boot')?.secondsToService ?? null,
    resumeSeconds: way('resume')?.secondsToService ?? null,
    emulated: record.ways.some(({ accelerator }) => accelerator === 'tcg'),
    replayBytes: record.recovery.bytes,
    replaySeconds: record.recovery.seconds,
    sizeBytes: record.restorePoint.files.filter(({ role }) => role !== 'config').reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    verifySeconds: record.durationMs / 1000,
  };
}
