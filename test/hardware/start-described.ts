/** A described machine as a command line of QEMU, with disks of nothing but their sizes: does QEMU take the hardware, and a stream on it? */

import type { MachineDescription } from '../../src/ways.js';
import { withQemu } from '../memory/qemu.js';

/** @param disks sizes by name. @param stream a file to resume from. Gives QEMU's run state, or rejects with its own words. */
export async function startDescribed(description: MachineDescription, disks: Record<string, number>, stream: string | null): Promise<string> {
  return withQemu([...argumentsOf(description, disks), ...(stream === null ? [] : ['-incoming', 'defer'])], async ({ qmp }) => {
    if (stream !== null) await qmp.execute('migrate-incoming', { uri: `exec:cat ${stream}` });
    for (let attempt = 0; attempt < 600; attempt++) {
      const { status } = await qmp.execute<{ status: string }>('query-status');
      if (status !== 'inmigrate') return status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return 'inmigrate';
  });
}

function argumentsOf(description: MachineDescription, disks: Record<string, number>): string[] {
  const options = Object.entries(description.machineOptions).map(([name, value]) => `,${name}=${value}`);
  const named = (property: string) => [...new Set(description.devices.flatMap((device) => (typeof device[property] === 'string' ? [device[property]] : [])))];
  return [
    ...[
      '-machine',
      `${description.machineType}${options.join('')}`,
      '-cpu',
      description.cpuModel,
      '-smp',
      String(description.cpus),
      '-m',
      String(description.memoryMiB),
    ],
    ...Object.entries(disks).flatMap(([name, sizeBytes]) => ['-blockdev', `driver=null-co,node-name=${name},size=${sizeBytes}`]),
    ...named('netdev').flatMap((name) => ['-netdev', `user,id=${name},restrict=on`]),
    ...named('chardev').flatMap((name) => ['-chardev', `null,id=${name}`]),
    ...named('audiodev').flatMap((name) => ['-audiodev', `none,id=${name}`]),
    ...description.devices.flatMap((device) => ['-device', JSON.stringify(device)]),
  ];
}
