/**
 * Tap devices in the sandbox's own network namespace, where they lead nowhere. To make them takes a capability within that namespace;
 * the program that is then started has it no more, and may use what was made for its user.
 */
import { existsSync } from 'node:fs';
import { findTool } from '../../setup/debian.mjs';
import type { SandboxSession, ServerRequest } from '../sandbox/index.js';

export const TUN = '/dev/net/tun';
const CAPABILITIES = ['CAP_NET_ADMIN', 'CAP_SETPCAP'];
const DROP = ['--bounding-set', '--inh-caps', '--ambient-caps'].map((set) => `${set}=-net_admin,-setpcap`).join(' ');

type Command = Pick<ServerRequest, 'tool' | 'args' | 'capabilities'>;

/** The command, with the taps made before it. They stay down. */
export function makingTaps(taps: { name: string; severalQueues: boolean }[], command: Command): Command {
  const make = taps.map(
    ({ name, severalQueues }) => `ip tuntap add dev ${name} mode tap user "$(id -u)" vnet_hdr${severalQueues ? ' multi_queue' : ''} || exit 1`,
  );
  const script = [...make, `exec setpriv ${DROP} --no-new-privs -- "$0" "$@"`].join('\n');
  return { tool: 'sh', args: ['-c', script, command.tool, ...command.args], capabilities: CAPABILITIES };
}

let answer: Promise<boolean> | undefined;

/** Whether taps can be made here, by making one; asked once per process. The module tun, iproute2 and util-linux are needed. */
export function tapsWork(sandbox: SandboxSession): Promise<boolean> {
  answer ??= tryTap(sandbox);
  return answer;
}

async function tryTap(sandbox: SandboxSession): Promise<boolean> {
  if (!existsSync(TUN) || findTool('ip') === null || findTool('setpriv') === null) return false;
  const trial = await sandbox.spawn({ ...makingTaps([{ name: 'sp-trial', severalQueues: false }], { tool: 'true', args: [] }), devices: [TUN] });
  return (await trial.exited).exitCode === 0;
}
