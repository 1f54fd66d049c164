/** One image file on the host, opened read-only, with a size also for block devices. */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { assertInside } from '../bytes/range.js';
import type { ByteSource } from '../types.js';

const SECTOR = 512;

/** What identifies a file and its content's age: differs when somebody wrote it. */
export interface FileStamp {
  device: number;
  inode: number;
  sizeBytes: number;
  modifiedNs: bigint;
  changedNs: bigint;
}

export class ImageFile implements ByteSource {
  private constructor(
    private readonly handle: FileHandle,
    readonly path: string,
    readonly sizeBytes: number,
    readonly kind: 'file' | 'device' | 'other',
  ) {}

  /** @throws the operating system's error (ENOENT, EACCES, ...). Never blocks on a pipe. */
  static async open(path: string): Promise<ImageFile> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const info = await handle.stat();
      if (info.isBlockDevice()) return new ImageFile(handle, path, await deviceBytes(info.rdev), 'device');
      return new ImageFile(handle, path, info.isFile() ? info.size : 0, info.isFile() ? 'file' : 'other');
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    await this.readInto(buffer, offset);
    return buffer;
  }

  /** Fills `buffer` from `offset`; for readers that reuse their buffer. */
  async readInto(buffer: Buffer, offset: number): Promise<void> {
    assertInside(offset, buffer.length, this.sizeBytes);
    for (let done = 0; done < buffer.length; ) {
      const { bytesRead } = await this.handle.read(buffer, done, buffer.length - done, offset + done);
      if (bytesRead === 0) throw new RangeError(`file became shorter while it was read: ${offset + done} of ${this.sizeBytes} bytes`);
      done += bytesRead;
    }
  }

  async stamp(): Promise<FileStamp> {
    const info = await this.handle.stat({ bigint: true });
    return { device: Number(info.dev), inode: Number(info.ino), sizeBytes: Number(info.size), modifiedNs: info.mtimeNs, changedNs: info.ctimeNs };
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Linux keeps the size of every block device in sysfs, in sectors of 512 bytes. */
async function deviceBytes(rdev: number): Promise<number> {
  const major = ((rdev >>> 8) & 0xfff) | 0;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return Number((await readFile(`/sys/dev/block/${major}:${minor}/size`, 'utf8')).trim()) * SECTOR;
}
