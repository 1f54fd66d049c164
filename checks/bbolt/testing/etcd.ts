/** A real etcd under load, for tests. It speaks JSON over HTTP beside its own protocol. */
import { createHash } from 'node:crypto';

/** Small limits, so that snapshots and new log files come often. Ports follow from the folder: tests run one server at a time. */
export function etcdArguments(folder: string): { args: string[]; client: string } {
  const port = 20_000 + (createHash('sha256').update(folder).digest().readUInt16BE(0) % 20_000) * 2;
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${port + 1}`;
  const urls = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer];
  return { args: ['--data-dir', folder, ...urls, '--snapshot-count', '500'], client };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

export class EtcdLoad {
  /** Commands that were answered. */
  answered = 0;
  private stopped = false;
  private step = 0;

  constructor(private readonly client: string) {
    for (let i = 0; i < 8; i++) void this.run();
  }

  static async answers(client: string): Promise<boolean> {
    return fetch(`${client}/health`)
      .then(async (response) => ((await response.json()) as { health?: string }).health === 'true')
      .catch(() => false);
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const i = this.step++;
      const put = { key: base64(`key ${i % 700}`), value: base64(`value ${i} `.repeat(1 + (i % 300))) };
      const [path, body] = i % 9 === 8 ? ['deleterange', { key: base64(`key ${(i * 7) % 700}`) }] : ['put', put];
      await fetch(`${this.client}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
        .then((response) => response.arrayBuffer())
        .then(() => this.answered++)
        .catch(() => undefined);
    }
  }
}
