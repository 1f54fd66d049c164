/** The log files that the recovery of an open database reads: all there, one after the other, of this database, and whole. */
import type { Problems } from '../../../src/bytes/problems.js';
import type { InstanceState, UntestedItem } from '../../../src/types.js';
import type { LogFileFacts } from '../log-read.js';
import type { PlainHeader, StaticEvidence } from '../static-pass.js';

/** Told one by one up to here. */
const MAX_TOLD = 20;
const UNFINISHED = /tmp\.(log|jtx)$/i;

/** @returns what could not be judged. */
export function noteChain(problems: Problems, evidence: StaticEvidence): UntestedItem[] {
  const { header, path, logs } = evidence;
  if (!header) return [];
  if (header.minRequired <= 0 || header.maxRequired < header.minRequired) {
    const message = `${path} was open and its header requires no log: it was written without one, and the engine does not open it in this state.`;
    problems.damaged('ese.log.none', message, { file: path });
    return [];
  }
  const chain = byGeneration(logs.filter(({ generation, sumFits }) => sumFits && generation >= header.minRequired));
  noteMissing(problems, evidence, header, chain);
  noteTimes(problems, evidence, header, chain);
  noteEnd(problems, path, header, chain);
  noteCheckpoint(problems, evidence, header);
  return noteSegments(problems, evidence, chain);
}

function byGeneration(logs: LogFileFacts[]): Map<number, LogFileFacts> {
  // A file that is being made (edbtmp.log) becomes the newest one when it is renamed: it counts where there is no other.
  const made = logs.filter(({ path }) => !UNFINISHED.test(path));
  return new Map([...logs, ...made].map((log) => [log.generation, log]));
}

function noteMissing(problems: Problems, { path, logs }: StaticEvidence, header: PlainHeader, chain: Map<number, LogFileFacts>): void {
  const damaged = new Set(logs.filter(({ sumFits }) => !sumFits).map(({ generation }) => generation));
  const last = Math.max(header.maxRequired, ...chain.keys());
  let told = 0;
  for (let generation = header.minRequired; generation <= last && told < MAX_TOLD; generation++) {
    if (chain.has(generation)) continue;
    told++;
    const where = { file: path, generation, from: header.minRequired, to: header.maxRequired };
    const needs = `${path} needs log generations ${header.minRequired} to ${header.maxRequired}`;
    if (damaged.has(generation)) problems.damaged('ese.log.header', `${needs}; the header of generation ${generation} is damaged.`, where);
    else if (generation <= header.maxRequired) problems.damaged('ese.log.missing', `${needs}; generation ${generation} is not there.`, where);
    else problems.damaged('ese.log.hole', `Log generation ${generation} of ${path} is missing, and later ones are there: recovery stops at the hole.`, where);
  }
}

/** Each log file names the time at which the one before it was made; the database names that of the last it needs. */
function noteTimes(problems: Problems, { path }: StaticEvidence, header: PlainHeader, chain: Map<number, LogFileFacts>): void {
  const mixed = (message: string, log: LogFileFacts) =>
    problems.add({
      code: 'ese.log.other',
      severity: 'critical',
      state: 'non-atomic',
      message,
      where: { file: path, log: log.path, generation: log.generation },
    });
  for (const log of chain.values()) {
    const before = chain.get(log.generation - 1);
    if (before?.created && log.previousCreated && before.created !== log.previousCreated) {
      mixed(`Log file ${log.path} does not follow ${before.path}: it names another time for the one before it.`, log);
    }
  }
  const required = chain.get(header.maxRequired);
  if (required?.created && header.maxRequiredCreated && required.created !== header.maxRequiredCreated) {
    mixed(
      `${required.path} is of generation ${header.maxRequired}, but not the file that ${path} was written with: they were made at different times.`,
      required,
    );
  }
}

/** Without the files up to `maxCommitted` it opens, and the last transactions are gone. */
function noteEnd(problems: Problems, path: string, header: PlainHeader, chain: Map<number, LogFileFacts>): void {
  const last = Math.max(...chain.keys());
  if (!chain.has(header.maxRequired) || last >= header.maxCommitted) return;
  const message = `${path} was changed up to log generation ${header.maxCommitted}; the log files end with ${last}. It opens, without its last transactions.`;
  const where = { file: path, committed: header.maxCommitted, last };
  problems.add({ code: 'ese.log.tail', severity: 'warning', state: 'lost-tail', message, where });
}

function noteCheckpoint(problems: Problems, { path, checkpoint }: StaticEvidence, header: PlainHeader): void {
  const tell = (code: string, message: string, where: Record<string, string | number>, state: InstanceState | null) =>
    problems.add({ code, severity: 'warning', state, message, where });
  if (!checkpoint) return;
  if (!checkpoint.sumFits) {
    tell('ese.checkpoint', `Checkpoint file ${checkpoint.path} is damaged; recovery begins with the first log file instead.`, { file: checkpoint.path }, null);
  } else if (checkpoint.generation > header.minRequired) {
    const message = `The checkpoint ${checkpoint.path} is at log generation ${checkpoint.generation}, and ${path} needs them from ${header.minRequired} on: recovery may begin too late.`;
    tell('ese.checkpoint.later', message, { file: checkpoint.path, generation: checkpoint.generation, from: header.minRequired }, 'unknown');
  }
}

function noteSegments(problems: Problems, { path }: StaticEvidence, chain: Map<number, LogFileFacts>): UntestedItem[] {
  const last = Math.max(...chain.keys());
  const items: UntestedItem[] = [];
  for (const log of chain.values()) {
    const { segments } = log;
    if (!segments) {
      const why = `it is of version ${log.major}.${log.minor}.${log.update}, whose records are not read: only its header was judged`;
      items.push({ what: `log file ${log.path}`, why, holdsData: true });
      continue;
    }
    const hole = segments.hole ?? (log.generation < last ? segments.torn : null);
    const where = { file: log.path, generation: log.generation, segment: hole ?? segments.torn ?? 0 };
    if (hole !== null) problems.damaged('ese.log.segment', `Log file ${log.path} of ${path} has a hole at segment ${hole}: recovery cannot read on.`, where);
    else if (segments.torn !== null) {
      const why = `its last write, at segment ${segments.torn}, is torn; whether the engine stops there or refuses is not known`;
      items.push({ what: `end of log file ${log.path}`, why, holdsData: true });
    } else if (segments.valid === 0 && log.generation < last) {
      // The newest one may just have been made.
      problems.damaged('ese.log.empty', `Log file ${log.path}, which ${path} needs, holds nothing of its generation.`, where);
    }
  }
  return items;
}
