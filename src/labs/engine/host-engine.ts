/** The host's engine: found by asking it for its version in the sandbox, and run there on a copy, without network, as an ordinary user. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../../errors.js';
import type { EngineDescription, EngineRequest, EngineScene, Sandbox } from '../lab.js';

/** Any user that is not root: engines refuse root. Inside the sandbox the copy belongs to it. */
const ENGINE_UID = 1000;
const VERSION_TIMEOUT_MS = 20_000;
/** Engines look up their own user; the sandbox has no users but this one. */
const USERS = `echo 'engine:x:${ENGINE_UID}:${ENGINE_UID}::/tmp:/bin/sh' >/etc/passwd; echo 'engine:x:${ENGINE_UID}:' >/etc/group`;
/** Room for shared memory and the engine's own buffers. */
const MEMORY_BYTES = 4 * 2 ** 30;
const OUTPUT_BYTES = 8 * 2 ** 20;

export interface HostEngine {
  binaries: string;
  version: string;
}

/** The engine, or the words that say why there is none. */
export async function findHostEngine(description: EngineDescription, sandbox: Sandbox, signal: AbortSignal): Promise<HostEngine | string> {
  const others: string[] = [];
  for (const binaries of description.hostFolders) {
    const tool = join(binaries, description.program);
    if (!(await isExecutable(tool))) continue;
    const { stdout } = await sandbox.run({ tool, args: ['--version'], uid: ENGINE_UID, timeoutMs: VERSION_TIMEOUT_MS }, signal);
    const version = (stdout.split('\n')[0] ?? '').slice(0, 200).trim();
    if (description.fits(version)) return { binaries, version };
    others.push(version);
  }
  const has = others.length > 0 ? ` (it has ${others.join(', ')})` : '';
  return `this host has no ${description.name}${has}; ${description.install}`;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What the script printed. @param folder of the copy: all that the engine may write. */
export async function runOnHost(
  engine: HostEngine,
  folder: string,
  data: Pick<EngineScene, 'dataFolder' | 'parts'>,
  request: EngineRequest,
  lab: { sandbox: Sandbox; signal: AbortSignal },
) {
  const { description, timeoutMs } = request;
  const script = `${USERS}\n${description.script({ binaries: engine.binaries, ...data, runFolder: '/tmp/snapproof', identity: 'owner' })}`;
  const limits = { timeoutMs, memoryBytes: MEMORY_BYTES, outputBytes: OUTPUT_BYTES };
  const result = await lab.sandbox.run({ tool: 'sh', args: ['-s'], stdin: script, writable: [folder], uid: ENGINE_UID, ...limits }, lab.signal);
  if (result.timedOut) throw new LabError({ code: 'engine.timeout', message: `the host's ${description.name} did not come to an end in time` });
  if (!result.stdout.includes(description.mark)) {
    const said = result.stderr.trim().slice(0, 400);
    throw new LabError({ code: 'engine.silent', message: `the host's ${description.name} could not be run in the sandbox: ${said}` });
  }
  return result.stdout;
}
