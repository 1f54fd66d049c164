/**
 * Unpacks a compressed stream into the run's own folder: by the host's program, in the sandbox. Its output has a limit, so that a
 * small file that unpacks to a large one fills no disk; what was unpacked before an error stays, to be read as far as it goes.
 */
import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabError, MissingToolError, NotTestedError } from '../errors.js';
import type { Sandbox, SandboxResult } from '../labs/lab.js';
import type { MemoryCompression } from '../ways.js';
import type { MemoryFindings } from './findings.js';

export interface Packed {
  path: string;
  /** Where in the file the compressed bytes begin. */
  offset: number;
  compression: Exclude<MemoryCompression, 'none'>;
}

export interface UnpackOptions {
  sandbox: Sandbox;
  /** Below the run's own folder. */
  target: string;
  limitBytes: number;
  findings: MemoryFindings;
  signal: AbortSignal;
}

/** Slow storage must not make an error of a whole file; a packer that hangs must still end. */
const TIMEOUT_MS = 6 * 60 * 60_000;
/** Windows of zstd and dictionaries of xz may have gigabytes. */
const MEMORY_BYTES = 6 * 2 ** 30;
const ARGUMENTS: Record<Packed['compression'], string[]> = { gzip: ['-dc'], zstd: ['-dcq', '--long=31'], xz: ['-dcq'], bzip2: ['-dcq'], lzop: ['-dcq'] };
/** Fixed text: what differs comes in as arguments. The last program's exit code is the script's. */
const SCRIPT = 'offset=$1 input=$2 output=$3; shift 3; tail -c "+$offset" -- "$input" | "$@" > "$output"';

/** What a packer says of this host, not of the file: it must not be held against the backup. */
const HOST_TROUBLE = /no space left|write error|cannot write|input\/output error|cannot allocate|memory/i;

/**
 * Leaves the unpacked stream at `target`.
 * @throws NotTestedError when it does not fit into the limit or its program is not on this host, LabError when the host is in trouble
 */
export async function unpack(packed: Packed, options: UnpackOptions): Promise<void> {
  const { path, compression } = packed;
  const { target, limitBytes, findings } = options;
  await assertTool(packed, options);
  const { exitCode, stderr, timedOut } = await runPacker(packed, options);
  if (exitCode === 0) return;
  const sizeBytes = await sizeOf(target);
  const why = stderr.replaceAll(/\s+/g, ' ').trim().slice(0, 200) || `exit code ${exitCode}`;
  if (sizeBytes >= limitBytes) {
    await rm(target, { force: true });
    throw tooLarge(path, limitBytes);
  }
  if (timedOut) throw new LabError({ code: 'memory.unpack', message: `unpacking ${path} did not come to an end within six hours.` });
  if (HOST_TROUBLE.test(why)) throw new LabError({ code: 'memory.unpack', message: `${path} could not be unpacked here: ${why}.` });
  findings.add('critical', 'packed', `${path} cannot be unpacked to its end (${compression} says: ${why}); ${sizeBytes} bytes came out of it.`, { file: path });
}

async function runPacker({ path, offset, compression }: Packed, { sandbox, target, signal }: UnpackOptions): Promise<SandboxResult> {
  const args = ['-c', SCRIPT, 'sh', String(offset + 1), path, target, compression, ...ARGUMENTS[compression]];
  return sandbox.run({ tool: 'sh', args, readable: [path], writable: [dirname(target)], timeoutMs: TIMEOUT_MS, memoryBytes: MEMORY_BYTES }, signal);
}

/** Names the package that brings it. */
async function assertTool({ compression }: Packed, { sandbox, signal }: UnpackOptions): Promise<void> {
  try {
    await sandbox.run({ tool: compression, args: ['--version'], timeoutMs: 20_000 }, signal);
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error;
    throw new NotTestedError({ code: 'memory.tool', message: `the memory is packed with ${compression}: ${error.message}`, cause: error });
  }
}

function tooLarge(path: string, limitBytes: number): NotTestedError {
  const gib = Math.round((limitBytes / 2 ** 30) * 10) / 10;
  return new NotTestedError({
    code: 'memory.limit',
    message: `the saved memory ${path} unpacks to more than ${gib} GiB, the limit of this run.`,
    advice: 'Raise limits.overlayBytes in the policy if the machine has so much RAM; if it has not, the file is not what it claims to be.',
  });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
