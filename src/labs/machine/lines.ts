/** The machine's Unix sockets on this side. */
import { connect, type Socket } from 'node:net';
import { LabError } from '../../errors.js';
import { HeadTail } from './head-tail.js';

const KEPT_BYTES = 256 * 1024;
const WRITE_TIMEOUT_MS = 10_000;

/** QEMU listens there since its control socket is open. @throws LabError */
export function connectLine(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', failed).on('error', () => undefined);
      resolve(socket);
    });
    const failed = (cause: Error) => reject(new LabError({ code: 'machine.start', message: `QEMU does not answer on ${path}: ${cause.message}`, cause }));
    socket.once('error', failed);
  });
}

/** The first serial line. It is always read: a line that nobody reads stops the guest. */
export class SerialLine {
  private readonly kept = new HeadTail(KEPT_BYTES);

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.kept.add(chunk));
  }

  get bytes(): number {
    return this.kept.totalBytes;
  }

  text(): string {
    return this.kept.text();
  }

  /** Ends when QEMU has it; the guest may take it later, or never. @throws LabError */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(lineError('is not taken')), WRITE_TIMEOUT_MS);
      this.socket.write(text, (error) => {
        clearTimeout(late);
        if (error) reject(lineError(`cannot be written: ${error.message}`));
        else resolve();
      });
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

function lineError(what: string): LabError {
  return new LabError({ code: 'machine.serial', message: `What is sent to the guest's serial line ${what}.` });
}
