/** BIOS or UEFI, by what the disks hold. */
import type { PartitionTable, Volume } from '../types.js';

const EFI_SYSTEM = /^(c12a7328-f81f-11d2-ba4b-00a0c93ec93b|0xef|ef)$/i;
const BIOS_BOOT = /^21686148-6449-6e6f-744e-656564454649$/i;

/** @param bootCode whether the first sector of the first disk holds code; null: nobody looked. */
export function firmwareOfDisks(tables: PartitionTable[], volumes: Volume[], bootCode: boolean | null): 'bios' | 'uefi' | null {
  const types = volumes.flatMap(({ partition }) => partition?.type ?? []);
  if (types.length === 0) return null;
  const efi = hasEfiSystem(volumes);
  // On GPT the first sector is often filled without anybody starting from it: there only a partition for the loader tells.
  const gpt = tables.some(({ scheme }) => scheme === 'gpt');
  const bios = types.some((type) => BIOS_BOOT.test(type)) || (!gpt && bootCode === true);
  return efi && !bios ? 'uefi' : 'bios';
}

/** Whether a partition holds boot loaders for UEFI. */
export function hasEfiSystem(volumes: Pick<Volume, 'partition'>[]): boolean {
  return volumes.some(({ partition }) => EFI_SYSTEM.test(partition?.type ?? ''));
}
