/** Unix sockets of servers that were just started. */
import { createConnection } from 'node:net';

/** Between `bind` and `listen` the file of a socket is there, and nobody takes connections yet. What is wrong otherwise is for who connects to say. */
const NOT_YET = new Set(['ENOENT', 'ECONNREFUSED']);

/** Whether somebody takes connections at a path. It makes one and lets it go: only for servers that take many. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(!NOT_YET.has(error.code ?? '')));
  });
}
