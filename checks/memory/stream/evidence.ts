/** What the memory file says of itself and of its machine, and what contradicts it. Plain and small: it is kept with the record. */
import type { CheckContext, CheckTarget, NoOptions } from '../../../src/check.js';
import { NotTestedError } from '../../../src/errors.js';
import type { Finding } from '../../../src/types.js';
import type { MemoryCompression, MemoryContainer } from '../../../src/ways.js';

const MAX_FINDINGS = 100;

export interface StreamEvidence {
  path: string;
  container: MemoryContainer;
  compression: MemoryCompression;
  /** Goes on from "it is ". */
  why: string;
  machineType: string | null;
  ramBytes: number;
  cpus: number;
  devices: number;
  runState: string | null;
  complete: boolean;
  /** Of the file itself. */
  findings: Finding[];
  /** Between the memory and what else is known of the machine. */
  contradictions: Finding[];
}

/** @throws NotTestedError for memory that is not read here and in which nothing is wrong */
export async function collect(target: CheckTarget, { labs, progress }: CheckContext<NoOptions>): Promise<StreamEvidence> {
  const memory = await labs.memory(progress);
  if (target.kind !== 'memory' || !memory) throw new TypeError(`${target.id} is no saved memory`);
  const { container, compression, why, machineType, ramBytes, cpus, devices, runState, complete, findings } = memory.facts;
  if (container === 'unread' && !findings.some(({ severity }) => severity === 'critical')) {
    throw new NotTestedError({ code: 'memory.unread', message: `the saved memory ${target.path} is not read by this version: it is ${why}.` });
  }
  const contradictions = complete ? (await labs.hardware('resume')).findings : [];
  return {
    ...{ path: target.path, container, compression, why, machineType, ramBytes, cpus: cpus.length, devices: devices.length, runState, complete },
    ...{ findings: findings.slice(0, MAX_FINDINGS), contradictions: contradictions.slice(0, MAX_FINDINGS) },
  };
}
