/** What every lab offers, and what checks may use of them. Labs do not know checks. */

import type { ByteMap, DatabaseInstance, GuestFiles, OperatingSystem, ProgressSink, SnapshotImage, SystemMount } from '../types.js';
import type { Artefact, DescribedMachine, Look, MachineDescription, MachineEvent, SavedMemory, Way } from '../ways.js';

/** A lab is an isolated place to look at a restore point. `open` gives a session; `close` leaves nothing behind. */
export interface Lab<Request, Session extends LabSession> {
  readonly name: string;
  /** Whether it can run here: names what is missing and the command that installs it. */
  probe(): Promise<{ usable: boolean; why: string }>;
  open(request: Request, signal: AbortSignal): Promise<Session>;
}

export interface LabSession {
  /** Ends every process and removes every temporary file of the session. May be called twice. */
  close(): Promise<void>;
}

// ---------------------------------------------------------------- sandbox

export interface SandboxRequest {
  /** Program name, found on the host's PATH; never a shell. */
  tool: string;
  args: string[];
  /** Host paths visible inside, read-only, under the same names. Nothing else of the user's files is. */
  readable?: string[];
  /** Host paths visible inside and writable: only below the run's own work folder. */
  writable?: string[];
  /** Device nodes, such as /dev/kvm or /dev/fuse, visible inside. */
  devices?: string[];
  cwd?: string;
  env?: Record<string, string>;
  /** User and group id the tool sees as its own, for engines that refuse to run as root; default: the caller's. */
  uid?: number;
  timeoutMs: number;
  /** Address space; default 2 GiB. */
  memoryBytes?: number;
  /** Kept of each stream; default 4 MiB. The rest is dropped and `truncated` is set. */
  outputBytes?: number;
  stdin?: string | Uint8Array;
}

export interface SandboxResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  truncated: boolean;
  durationMs: number;
}

/** Runs host tools in bubblewrap: no network, only their input visible, limits on time, memory and output. */
export interface Sandbox {
  run(request: SandboxRequest, signal: AbortSignal): Promise<SandboxResult>;
}

// ---------------------------------------------------------------- exposure

/** The disks of a restore point as block devices: read-only as captured, and a throw-away overlay that may be written. */
export interface Exposure {
  /** Bytes as captured, straight from the files where the format allows it, else over NBD. */
  captured(disk: string): Promise<ByteMap>;
  /** Bytes as they are now on the overlay (after replay, recovery). Take it anew after every write. */
  current(disk: string): Promise<ByteMap>;
  /** NBD socket and export of the overlay, for the appliance. */
  overlaySocket(disk: string): { socketPath: string; exportName: string };
  readonly images: SnapshotImage[];
}

// ---------------------------------------------------------------- appliance

export interface ApplianceResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  durationMs: number;
}

/**
 * A script may leave a file system mounted read-only at a place that begins so, followed by any name: what it read of it stays in
 * the appliance's memory for who looks at the guest's files next. "unmountAll" ends that.
 */
export const KEPT_PREFIX = '/snap/kept-';

/** libguestfs, launched once per restore point, on the overlays. Calls are serialised. */
export interface Appliance {
  /** One guestfish command. Arguments reach it as they are, whatever bytes they hold. Rejects with LabError and the tool's text. */
  call(command: string, ...args: string[]): Promise<string>;
  /**
   * A shell script inside the appliance (not in the guest); the guest is mounted below /sysroot. Judge by output, not by exit code.
   */
  script(script: string, options: ScriptOptions): Promise<ApplianceResult>;
  /** A shell script with the guest's root as its root and the guest's own programs, no network. */
  guestScript(script: string, options: { timeoutMs: number }): Promise<ApplianceResult>;
  /** Puts a guest's file systems in place below its root, as its fstab says; mounting replays their logs. */
  mountSystem(mounts: SystemMount[], mode: 'read-only' | 'writable'): Promise<void>;
  /** @param spared `kept`: not what a script left below KEPT_PREFIX. */
  unmountAll(spared?: 'none' | 'kept'): Promise<void>;
}

export interface ScriptOptions {
  timeoutMs: number;
  /** It shares nothing with others that are asked for at the same time, and may run together with them. */
  sideBySide?: boolean;
  /** It leaves something mounted below KEPT_PREFIX. */
  keeps?: boolean;
}

// ---------------------------------------------------------------- engines

/**
 * How one database engine is found, started and asked. The same script runs with the guest's own programs in the appliance, on the
 * overlay, and with the host's in the sandbox, on a copy: it must ask nothing of either but a POSIX shell, coreutils, grep and sed.
 */
export interface EngineDescription {
  /** With the version that the data need, for people: `PostgreSQL 15`. */
  name: string;
  /** The program that must be in one of the folders, most likely first. */
  program: string;
  guestFolders: string[];
  hostFolders: string[];
  /** Whether what the host's program prints for `--version` fits the data. */
  fits(versionText: string): boolean;
  /** What to do when the host has none: a command. */
  install: string;
  /** Links of the instance (`what`) that are no symbolic links: folders elsewhere of which the script must be told. Default: none. */
  parts?: string[];
  /** Files of the data directory, by path relative to it, that a copy leaves out: logs for people, temporary files, marks of the running server. */
  leaveOut(path: string): boolean;
  /** The text of a POSIX shell script that recovers, asks and stops, and prints its answer. */
  script(scene: EngineScene): string;
  /** In every answer of the script: without it the programs could not be run at all. */
  mark: string;
}

/** Where a script runs. Paths as its shell sees them. */
export interface EngineScene {
  /** Folder of the programs. */
  binaries: string;
  dataFolder: string;
  /** Folders of the description's parts that this instance has, by name. */
  parts: Record<string, string>;
  /** Does not exist yet; short, for sockets. Gone with the lab. */
  runFolder: string;
  /** `root`: the script must become the owner of the data folder for the engine. `owner`: it already is, and is not root. */
  identity: 'root' | 'owner';
}

/** Which engine was used, and why this one: for the record. */
export interface EngineUse {
  engine: 'guest' | 'host';
  /** Goes on from "recovered by ": `the host's own PostgreSQL 15, in the sandbox, on a copy of 41 MB`. */
  how: string;
  why: string;
  copiedBytes: number;
}

export interface EngineRequest {
  description: EngineDescription;
  instance: DatabaseInstance;
  systems: OperatingSystem[];
  timeoutMs: number;
  progress: ProgressSink;
}

/** Runs the engine of a database on a throw-away state of it, by the policy's choice. */
export interface EngineLab {
  /** @throws NotTestedError when neither the guest nor this host has an engine that could run; LabError when one did not come to an end. */
  run(request: EngineRequest): Promise<{ stdout: string; use: EngineUse }>;
}

// ---------------------------------------------------------------- machine

/** Keys by QEMU's names (`ret`, `caps_lock`, `alt-sysrq-h` is three at once, joined by dashes). */
export type KeyStroke = string;

/** A guest that runs in QEMU on throw-away overlays, seen and touched from outside only. Starts paused: `run` lets it go. */
export interface Machine {
  readonly way: Way;
  readonly accelerator: 'kvm' | 'tcg';
  readonly description: MachineDescription;
  /** Lets it run on, from its memory or from its firmware. Times of looks count from here. */
  run(): Promise<void>;
  look(): Promise<Look>;
  /** Lets so much time pass on the wall; less when the guest switches itself off meanwhile, or the signal is given. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** All so far, oldest first; of endless ones the last 1000. */
  readonly events: readonly MachineEvent[];
  /** What the last look saw, as PNG. Null when the machine has no screen. */
  screenshot(): Promise<Buffer | null>;
  /** What came over the first serial line: the first and the last 256 KiB of it. */
  serialText(): string;
  /** @returns false: it has no serial line */
  writeSerial(text: string): Promise<boolean>;
  /** One after the other, each pressed and let go; until the last was. */
  press(keys: KeyStroke[]): Promise<void>;
  /** Whether the guest has switched a keyboard light since: the answer to `caps_lock` of most systems. Null when QEMU cannot tell. */
  keyboardLights(): number | null;
  pressPower(): Promise<void>;
  /** RAM as it is now. @throws RangeError outside of it */
  readMemory(address: number, lengthBytes: number): Promise<Buffer>;
  /** The only other party on the guest's network; null when it was started without one, or no card of it could be connected. */
  readonly network: GuestNetwork | null;
  /** Resolves when QEMU has ended, by itself or because it was closed. */
  readonly ended: Promise<{ exitCode: number | null; stderr: string }>;
  /** What stopped the machine, or kept a disk from working, that is not the guest's own doing alone; null while there is nothing. */
  trouble(): MachineTrouble | null;
  /** Overlays by disk, as the guest left them; whole only after the guest was powered off or the machine was closed. */
  overlays(): { disk: string; path: string }[];
  /** Ends QEMU; the overlays stay until `discard`. */
  close(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * `overlay-limit`: the guest wrote more than the policy allows, and is stopped since. `host-disk`: this host could not take what the
 * guest wrote. `captured-disk`: the files of the restore point could not be read somewhere.
 */
export interface MachineTrouble {
  kind: 'overlay-limit' | 'host-disk' | 'captured-disk';
  disk: string;
  /** A sentence. */
  message: string;
}

/** A closed network: one card of the guest on one end, this process on the other, nothing else anywhere. */
export interface GuestNetwork {
  /** Addresses that the guest used or was given. */
  readonly addresses: readonly string[];
  /** Frames of the guest by what they are: `arp`, `dhcp`, `ipv6-nd`, `tcp`, ... Those in a VLAN count as `vlan-tagged` besides. */
  readonly frames: Readonly<Record<string, number>>;
  /** All frames of the guest. */
  readonly framesSent: number;
  /** Where the guest wanted to go: the first hundred destinations. None of it came out. */
  readonly attempts: readonly OutsideAttempt[];
  /** Looks for the guest at addresses it is expected to have, and at all nodes of the link; gives what answers. */
  discover(expected: string[], options: { timeoutMs: number; signal: AbortSignal }): Promise<string[]>;
  /** @returns milliseconds, or null when nothing answers */
  ping(address: string, options: { timeoutMs: number }): Promise<number | null>;
  /** @throws LabError when it is refused or not answered; the code is `network.refused` or `network.silent`. */
  connect(address: string, port: number, options: { timeoutMs: number }): Promise<GuestConversation>;
  /**
   * One datagram and what comes back; null when nothing does. It is sent again after a second, and then ever more rarely.
   * @throws LabError `network.refused` when the guest says that nobody listens there.
   */
  ask(address: string, port: number, payload: Buffer, options: { timeoutMs: number }): Promise<Buffer | null>;
}

/** What the guest sent to somebody who is not there, and how often. `name`: what it asked a name server for. */
export interface OutsideAttempt {
  protocol: 'tcp' | 'udp' | 'dns' | 'icmp';
  address: string;
  port: number;
  name: string | null;
  count: number;
}

/** One TCP connection into the guest. */
export interface GuestConversation {
  /** Whether the guest has ended it: nothing more will come. */
  readonly ended: 'closed' | 'reset' | null;
  /** Resolves when all is on its way. @throws LabError `network.ended` when the guest has broken it off. */
  write(bytes: Buffer | string): Promise<void>;
  /** All that comes until `enough` is content, the guest closes, time is over, or 64 KiB are there. */
  readUntil(enough: (bytes: Buffer) => boolean, options: { timeoutMs: number }): Promise<Buffer>;
  close(): Promise<void>;
}

/** All that one start needs: what the machine lab is asked by the run, which knows hardware and memory. */
export interface MachineRequest extends MachineChoices {
  way: Way;
  description: MachineDescription;
  /** For `resume`. */
  memory: SavedMemory | null;
  /** Name or id of an internal snapshot: the disks as they were then, not as they are now. Default: none. */
  snapshot?: string | null;
  /** Addresses that its cards are known to have had, for a guest that asks for one. */
  leases?: readonly KnownLease[];
}

/** An address that a card is known to have had. */
export interface KnownLease {
  /** Of the card, or null: whichever asks first. */
  mac: string | null;
  address: string;
  prefix: number;
  gateway: string | null;
}

export interface MachineChoices {
  /** Whether cards of the guest are connected to the closed network. */
  network: boolean;
  /**
   * `ahead` (cold boots in software emulation only): whenever the guest has nothing to do, its clock jumps to its next timer, so that
   * minutes of its time pass in a second. Nobody outside can talk to it meanwhile. A saved guest cannot do so: its time stamp counter would
   * begin anew, and its timers would be as far away as the machine was old when it was saved.
   */
  clock?: 'real' | 'ahead';
}

/** Starts the machine of the restore point, each time on new overlays over the disks as captured, with the hardware it had. */
export interface MachineStarter {
  /**
   * @throws LabError with QEMU's own words. `machine.refused`: it does not take the hardware or the memory. All other codes are trouble of
   * this host, and no evidence of anything.
   */
  start(way: Way, choices: MachineChoices, signal: AbortSignal): Promise<Machine>;
  /** Why this host cannot bring such a machine back faithfully, or null. */
  obstacle(way: Way): Promise<string | null>;
}

/** What a check may use. Each is opened when first asked for. */
export interface CheckLabs {
  sandbox: Sandbox;
  exposure: Exposure;
  files: GuestFiles;
  appliance(): Promise<Appliance>;
  engine: EngineLab;
  /**
   * The saved memory, unpacked; null when the restore point has none. Opened once: who asks first is told of the progress.
   * @throws NotTestedError when it does not fit into the limits of this run, LabError when this host is in trouble
   */
  memory(progress?: ProgressSink): Promise<SavedMemory | null>;
  /** The machine of the restore point, from all that is known of it: its memory, libvirt's description, the manifest, its disks. */
  hardware(way: Way): Promise<DescribedMachine>;
  machine: MachineStarter;
  /** Keeps bytes beside the record, by their digest. */
  keep(name: string, mediaType: string, bytes: Uint8Array): Promise<Artefact>;
  /** A private, empty folder for this check, removed after it. */
  scratchFolder(): Promise<string>;
}

/** A word for a POSIX shell, whatever bytes it holds (NUL excepted). */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
