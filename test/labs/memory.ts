/** Labs in memory, for unit tests: no process, no file; what a tool answers is said by the test. */
import { FolderFiles } from '../../src/bytes/folder-files.js';
import { wholeSource } from '../../src/bytes/map.js';
import { LabError, NotTestedError } from '../../src/errors.js';
import type { Appliance, CheckLabs, Exposure, LabSession, Sandbox, SandboxRequest, SandboxResult } from '../../src/labs/lab.js';
import type { SnapshotImage } from '../../src/types.js';

export interface MemoryLabsOptions {
  /** Answers a sandboxed tool; what it leaves out is success without output. Default: every tool is unexpected. */
  tool?: (request: SandboxRequest) => Partial<SandboxResult> | Promise<Partial<SandboxResult>>;
  /** Answers a guestfish command. */
  appliance?: (command: string, args: string[]) => string;
  /** Host folders that stand for volumes, by volume id. */
  volumes?: Record<string, string>;
  /** Host files that stand for disks, by name. */
  disks?: Record<string, { path: string; sizeBytes: number }>;
  images?: SnapshotImage[];
  scratch?: () => Promise<string>;
}

export interface MemoryLabs extends CheckLabs, LabSession {
  /** Every request the sandbox got, in order. */
  readonly requests: SandboxRequest[];
}

/** All that a check may use, without a single host tool. */
export function memoryLabs(options: MemoryLabsOptions = {}): MemoryLabs {
  const requests: SandboxRequest[] = [];
  let closed = false;
  const assertOpen = () => {
    if (closed) throw new LabError({ code: 'memory.closed', message: 'the lab was closed' });
  };
  const sandbox: Sandbox = {
    async run(request, signal) {
      assertOpen();
      signal.throwIfAborted();
      requests.push(request);
      if (!options.tool) throw new LabError({ code: 'memory.tool', message: `no answer was prepared for ${request.tool}` });
      return { exitCode: 0, stdout: '', stderr: '', timedOut: false, truncated: false, durationMs: 0, ...(await options.tool(request)) };
    },
  };
  return {
    requests,
    sandbox,
    exposure: memoryExposure(options),
    files: new FolderFiles(options.volumes ?? {}),
    engine: { run: () => Promise.reject(new NotTestedError({ code: 'memory.engine', message: 'no engine was prepared' })) },
    memory: async () => null,
    hardware: () => Promise.reject(new LabError({ code: 'memory.hardware', message: 'no hardware was prepared' })),
    machine: {
      start: () => Promise.reject(new LabError({ code: 'memory.machine', message: 'no machine was prepared' })),
      obstacle: async () => null,
    },
    keep: () => Promise.reject(new LabError({ code: 'memory.keep', message: 'no folder for artefacts was prepared' })),
    appliance: async () => memoryAppliance(options, assertOpen),
    scratchFolder: options.scratch ?? (() => Promise.reject(new LabError({ code: 'memory.scratch', message: 'no scratch folder was prepared' }))),
    close: async () => {
      closed = true;
    },
  };
}

function memoryExposure(options: MemoryLabsOptions): Exposure {
  const map = async (disk: string) => {
    const file = options.disks?.[disk];
    if (!file) throw new LabError({ code: 'memory.disk', message: `there is no disk "${disk}"` });
    return wholeSource({ kind: 'file', path: file.path }, file.sizeBytes);
  };
  return { captured: map, current: map, overlaySocket: (disk) => ({ socketPath: '/nowhere', exportName: disk }), images: options.images ?? [] };
}

function memoryAppliance(options: MemoryLabsOptions, assertOpen: () => void): Appliance {
  const answer = (command: string, args: string[]): string => {
    assertOpen();
    if (!options.appliance) throw new LabError({ code: 'memory.appliance', message: `no answer was prepared for ${command}` });
    return options.appliance(command, args);
  };
  const script = async (text: string) => ({ exitCode: 0, stdout: answer('script', [text]), stderr: '', timedOut: false, durationMs: 0 });
  return {
    call: async (command, ...args) => answer(command, args),
    script,
    guestScript: script,
    mountSystem: async () => undefined,
    unmountAll: async () => undefined,
  };
}
