/** Evidence of a sound database, for tests of the pure judgements. */
import { emptyFacts } from '../block-verifier.js';
import { NO_SCN } from '../format/file.js';
import type { DataFile, RedoFile, StaticEvidence } from '../static-pass.js';

export function file(changes: Partial<DataFile> = {}): DataFile {
  const header = { compatible: 0x13000000, dbid: 1, name: 'ORCL', blocks: 20, file: 1, relativeFile: 1, tablespace: 0, resetlogs: '900' };
  const state = { hotBackup: false, fuzzy: true, checkpoint: '6000', sequence: 7, sumFits: true };
  return { ...header, ...state, path: '/system01.dbf', blockBytes: 8192, sizeBytes: 21 * 8192, temporary: false, ...changes };
}

export function log(sequence: number, changes: Partial<RedoFile> = {}): RedoFile {
  const content = { valid: 90, hole: null, damaged: null, torn: null, sumless: 0 };
  const header = { compatible: 0x13000000, dbid: 1, name: 'ORCL', blocks: 0xffffffff, thread: 1, first: '5500', next: NO_SCN, sumFits: true };
  return { ...header, sequence, path: `/redo${sequence}.log`, blockBytes: 512, content, ...changes };
}

export function evidence(changes: Partial<StaticEvidence> = {}): StaticEvidence {
  const files = { dataFiles: [file()], redo: [log(7)], controlFiles: ['/control01.ctl'], unknown: [], unreadable: [] };
  const blocks = { ...emptyFacts(), blocks: 20, zeroes: 8, summed: 12 };
  return { path: '/system01.dbf', name: 'ORCL', ...files, redoEnd: null, blocks, ...changes };
}
