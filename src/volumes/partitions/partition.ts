/** One entry of a partition table. `type`: GUID in upper case (GPT) or `0x83` (MBR). Offset and length are as the table says: they may lie beyond the disk. */
export interface Partition {
  number: number;
  type: string;
  name: string | null;
  offset: number;
  lengthBytes: number;
}
