/** The devices of a manifest: already as QEMU takes them, each held against the list of what may reach it. */
import { admitDevice, type Device } from './properties.js';

export interface ManifestMachine {
  devices: Device[];
  leftOut: string[];
}

const MAX_DEVICES = 500;

export function machineOfManifest(wanted: unknown[]): ManifestMachine {
  const devices: Device[] = [];
  const leftOut: string[] = [];
  for (const device of wanted.slice(0, MAX_DEVICES)) {
    const admitted = admitDevice(device);
    if (!admitted) leftOut.push(`the device ${JSON.stringify((device as { driver?: unknown } | null)?.driver ?? null).slice(0, 60)}`);
    else {
      devices.push(admitted.device);
      for (const name of admitted.leftOut) leftOut.push(`the property "${name}" of the device "${admitted.device.driver}"`);
    }
  }
  return { devices, leftOut };
}
