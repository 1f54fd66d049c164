/** A drill policy, read and complete. Durations are seconds; paths are absolute. */
import type { Depth, Policy } from '../../types.js';

export interface DrillPolicy {
  /** Real path of the file, and the SHA-256 of its bytes. */
  path: string;
  sha256: string;
  name: string;
  sources: DrillSource[];
  machines: MachineRule[];
  select: SelectRule;
  /** `06:00` or `5h`; null: none. */
  deadline: string | null;
  /** Null: as many as memory and processors allow. */
  parallel: number | null;
  memoryMiB: number | null;
  controls: boolean;
  trustStamps: boolean;
  tell: TellRule[];
}

export type DrillSource =
  | { kind: 'folders'; template: string }
  | { kind: 'libvirt' | 'proxmox'; folder: string }
  | { kind: 'paths'; paths: string[] }
  | { kind: 'command'; argv: string[]; timeoutSeconds: number; cwd: string }
  | { kind: 'queue' };

/** What is asked of the machines whose names fit. */
export interface MachineRule {
  match: string[];
  everySeconds: number | null;
  rtoSeconds: number | null;
  rpoSeconds: number | null;
  /** Checks or families of which at least one must have passed. */
  require: string[];
  tags: Record<string, string>;
  retired: boolean;
  policy: Policy;
}

export interface SelectRule {
  how: 'latest' | 'random' | 'all' | 'unverified';
  count: number | null;
  seed: string | null;
  forSeconds: number | null;
}

/** Where a secret is, never the secret itself. */
export type SecretSource = { env: string } | { file: string };

interface TellCommon {
  onlyChanges: boolean;
}

export interface HttpTell extends TellCommon {
  channel: 'webhook' | 'ping';
  url: string;
  headers: Record<string, SecretSource>;
}

export interface MailTell extends TellCommon {
  channel: 'mail';
  to: string[];
  from: string;
  server: string;
  port: number;
  security: 'starttls' | 'tls' | 'none';
  user: string | null;
  password: SecretSource | null;
}

export type TellRule = HttpTell | MailTell;

const DEPTHS: readonly Depth[] = ['static', 'recovery', 'boot', 'resume', 'full'];

/** Whether a proof of one depth is enough where another is asked. */
export function reaches(proven: Depth, asked: Depth): boolean {
  return DEPTHS.indexOf(proven) >= DEPTHS.indexOf(asked);
}
