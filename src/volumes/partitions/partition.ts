/**
 * One entry of a partition table. `type`: GUID in upper case (GPT) or `0x83` (MBR). `uuid`: what PARTUUID names in an fstab; null when the disk has none.
 * Offset and length are as the table says: they may lie beyond the disk.
 */
export interface Partition {
  number: number;
  type: string;
  uuid: string | null;
  name: string | null;
  offset: number;
  lengthBytes: number;
}
