/** Finds out by a real start how tools can be confined on this host. */
import { lstat, readlink } from 'node:fs/promises';
import { execa } from 'execa';
import { LabError } from '../../errors.js';
import { type Confinement, type ConfinementMode, confinedCommand } from './arguments.js';
import { findTool } from './find-tool.js';

/** What programs need of the host: the merged /usr and its links, library lookup, Debian's alternatives. No user's files, no secrets. */
const SYSTEM = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
];
const PROBE_TIMEOUT_MS = 20_000;

/** How tools are confined here. @throws MissingToolError, or LabError with bubblewrap's own words where it cannot start. */
export async function probeConfinement(fileBytes: number): Promise<Confinement> {
  const [bwrap, prlimit, systemFolders] = await Promise.all([findTool('bwrap'), findTool('prlimit'), presentSystemFolders()]);
  const modes: ConfinementMode[] = process.getuid?.() === 0 ? ['root', 'user-namespace'] : ['user-namespace'];
  const refusals: string[] = [];
  for (const mode of modes) {
    const confinement = { mode, bwrap, prlimit, systemFolders, fileBytes };
    const refusal = await trialStart(confinement);
    if (refusal === null) return confinement;
    refusals.push(`${mode}: ${refusal}`);
  }
  throw new LabError({
    code: 'sandbox.unusable',
    message: `bubblewrap cannot confine a program here (${refusals.join('; ')})`,
    advice: 'In a container, allow user namespaces or give it CAP_SYS_ADMIN; on a host, check sysctl kernel.unprivileged_userns_clone and AppArmor.',
  });
}

/** Null when a confined program really ran, else why not. */
async function trialStart(confinement: Confinement): Promise<string | null> {
  const [program, ...args] = confinedCommand(confinement, { tool: 'true', args: [] }, '/usr/bin/true');
  const result = await execa(program, args, { reject: false, timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL', stdin: 'ignore' });
  if (result.exitCode === 0) return null;
  return result.stderr.trim() || result.shortMessage || `exit code ${result.exitCode}`;
}

async function presentSystemFolders(): Promise<Confinement['systemFolders']> {
  const present: Confinement['systemFolders'] = [];
  for (const path of SYSTEM) {
    const info = await lstat(path).catch(() => null);
    if (info) present.push({ path, link: info.isSymbolicLink() ? await readlink(path) : null });
  }
  return present;
}
