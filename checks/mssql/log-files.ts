/** The virtual log files of a database, from all its log files, in the order in which they were used. */
import type { ByteSource } from '../../src/types.js';
import { FIRST_VLF_AT, parseVlf, type VlfHeader } from './format/log.js';

export interface Vlf extends VlfHeader {
  file: string;
  source: ByteSource;
  /** In its file. */
  offset: number;
}

export interface VlfList {
  /** By number; those never used are left out. */
  used: Map<number, Vlf>;
  highest: number;
  total: number;
  problems: { code: string; message: string; file: string; offset: number }[];
}

/** SQL Server warns of 10,000; each costs a read. */
const MAX_VLFS = 100_000;
const SAMPLE_BYTES = 4096;
const SAMPLES = 256;

export async function listVlfs(files: { path: string; source: ByteSource }[], signal: AbortSignal): Promise<VlfList> {
  const list: VlfList = { used: new Map(), highest: 0, total: 0, problems: [] };
  for (const { path, source } of files) {
    let offset = FIRST_VLF_AT;
    while (offset + 32 <= source.sizeBytes && list.total < MAX_VLFS) {
      signal.throwIfAborted();
      const vlf = parseVlf(await source.read(offset, 32), offset, source.sizeBytes - offset);
      if (!vlf) break;
      add(list, { ...vlf, file: path, source, offset });
      offset += vlf.sizeBytes;
    }
    if (offset < source.sizeBytes && !(await looksEmpty(source, offset))) {
      list.problems.push({ code: 'mssql.log.vlf', message: `the header of a virtual log file at ${offset} of ${path} is damaged`, file: path, offset });
    }
  }
  return list;
}

function add(list: VlfList, vlf: Vlf): void {
  list.total++;
  if (vlf.number === 0 || vlf.parity === 0) return;
  if (list.used.has(vlf.number)) {
    list.problems.push({ code: 'mssql.log.vlf', message: `virtual log file ${vlf.number} is there twice`, file: vlf.file, offset: vlf.offset });
  }
  list.used.set(vlf.number, vlf);
  list.highest = Math.max(list.highest, vlf.number);
}

/** A file that was just being extended ends in zeroes. Its length is the guest's claim: only samples are read. */
async function looksEmpty(source: ByteSource, from: number): Promise<boolean> {
  const step = Math.max(SAMPLE_BYTES, Math.floor((source.sizeBytes - from) / SAMPLES));
  for (let offset = from; offset < source.sizeBytes; offset += step) {
    const sample = await source.read(offset, Math.min(SAMPLE_BYTES, source.sizeBytes - offset));
    if (sample.some((byte) => byte !== 0)) return false;
  }
  return true;
}
