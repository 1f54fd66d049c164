/**
 * The types that cross folders, in the order data flows through them:
 * Policy -> RestorePoint -> SnapshotImage -> Volume -> Inspection -> Evidence -> Finding -> CheckResult -> Record.
 * Sizes and offsets are bytes, times are milliseconds, instants are ISO 8601 strings in UTC.
 * Everything here is plain data (JSON), except the interfaces at the end of each section that read bytes.
 */

import type { Artefact, WayResult } from './ways.js';

// ---------------------------------------------------------------- policy

/** How deep a verification goes. Each depth includes the ones before it; `full` means all that apply. */
export type Depth = 'static' | 'recovery' | 'boot' | 'resume' | 'full';

export interface Policy {
  depth: Depth;
  /** Check ids or families (`postgresql`) to run; empty means all. */
  only: string[];
  /** Check ids or families to leave out: what they cover is then listed as untested. */
  skip: string[];
  /** Which database engine performs recovery: the guest's own in the appliance, the host's in the sandbox. */
  engine: 'auto' | 'guest' | 'host';
  /** Folders besides the restore point's own in which members of a backing chain may lie. */
  allowedFolders: string[];
  /** Options by check id, validated against the check's own schema before anything starts. */
  options: Record<string, Record<string, unknown>>;
  /** What must be true in the data. Each is a check of its own. */
  expect: Expectation[];
  /** What the guest must offer once it is back: asked over its closed network. */
  services: ExpectedService[];
  limits: { overlayBytes: number; checkTimeoutMs: number; applianceMemoryMiB: number };
}

/** `tcp`: nothing is asked but that the port accepts connections. */
export type ServiceProtocol =
  | 'tcp'
  | 'tls'
  | 'http'
  | 'https'
  | 'ssh'
  | 'smtp'
  | 'smtps'
  | 'imap'
  | 'imaps'
  | 'pop3'
  | 'pop3s'
  | 'ftp'
  | 'postgresql'
  | 'mysql'
  | 'redis'
  | 'mssql'
  | 'ldap'
  | 'ldaps'
  | 'dns'
  | 'ntp'
  | 'rdp'
  | 'smb';

/** A service that the policy names. */
export interface ExpectedService {
  /** For people; default: the protocol. */
  name?: string;
  protocol: ServiceProtocol;
  /** Default: the usual one of the protocol; `tcp` and `tls` have none. */
  port?: number;
  /** Default: wherever the guest is found. */
  address?: string;
  /** Default true. False: that it does not answer is a warning. */
  required?: boolean;
}

export type Expectation = SqlExpectation | FileExpectation;

/** What one query must answer. `equals`, `atLeast` and `atMost` are about its one value (one row, one column), `rows` is their exact number. */
export interface SqlExpectation {
  /** For people; default: the query. */
  name?: string;
  engine: EngineName;
  /** Id of the instance or its path in the guest; default: the only one of this engine. */
  instance?: string;
  /** Default: one that every cluster has. */
  database?: string;
  query: string;
  equals?: string | number | boolean | null;
  atLeast?: number;
  atMost?: number;
  rows?: number;
  /** Default 60. */
  timeoutSeconds?: number;
}

/** A file that must exist. */
export interface FileExpectation {
  name?: string;
  /** As the guest sees it, or from the top of `volume`. */
  file: string;
  /** Id of the volume; needed where no operating system says what is mounted where. */
  volume?: string;
  /** Changed at most so long before the capture: `90m`, `24h`, `7d`. */
  maxAge?: string;
  /** Bytes. */
  minSize?: number;
}

/** A query for one instance, as its engine is to be asked. */
export interface SqlQuestion {
  /** Of the expectation's target. */
  id: string;
  instance: string;
  database: string | null;
  query: string;
  timeoutSeconds: number;
}

/** What an engine said to a query. */
export interface SqlAnswer {
  /** The first rows, as text; null is SQL's NULL. */
  rows: (string | null)[][];
  /** Of all rows; with `truncated` at least so many. */
  rowCount: number;
  /** More came than was read. */
  truncated: boolean;
  /**
   * `absent`: the database or table is not there. `damage`: about the data. `timeout`: it did not finish. `statement`: all else.
   */
  error: { kind: 'absent' | 'damage' | 'timeout' | 'statement'; text: string } | null;
  seconds: number;
  /** By whom and where: `psql of the guest's own PostgreSQL 15, in the appliance, on the overlay`. */
  how: string;
}

// ---------------------------------------------------------------- restore point

export type Consistency = 'application' | 'filesystem' | 'crash' | 'none' | 'unknown';
export type FileRole = 'disk' | 'memory' | 'config';

/** What a manifest (or the path alone) says about one disk. `path` is absolute. `format` null: derived from the header by us, once. */
export interface DiskSource {
  path: string;
  format: ImageFormat | null;
  bus: string | null;
}

export interface RestorePoint {
  id: string;
  machine: string;
  takenAt: string | null;
  /** The restore point's own folder: chain members outside it are refused. */
  folder: string;
  source: Record<string, unknown>;
  disks: DiskSource[];
  /** `snapshot`: the name or id of an internal snapshot when the file is a qcow2 disk that holds the RAM too. */
  memory: { path: string; format: string; snapshot: string | null } | null;
  hardware: Hardware | null;
  declaredConsistency: Consistency;
  /** Further files that belong to it, such as the manifest itself. */
  configs: string[];
}

export interface Hardware {
  machineType?: string;
  cpus?: number;
  memoryMiB?: number;
  cpuModel?: string;
  /** Default: what the disks can boot by. */
  firmware?: 'bios' | 'uefi';
  devices?: unknown[];
}

// ---------------------------------------------------------------- images

/** qemu's names: `vpc` is VHD. */
export type ImageFormat = 'raw' | 'qcow2' | 'vmdk' | 'vpc' | 'vhdx' | 'vdi';

/** One file of a chain, as its header (parsed by us) describes it. */
export interface ImageLayer {
  path: string;
  format: ImageFormat;
  sizeBytes: number;
  virtualSizeBytes: number;
  /** Least length the header's own tables promise; a shorter file is truncated. */
  promisedBytes: number;
  /** Absolute path of the next layer, already checked against the allowed folders. */
  backingPath: string | null;
  /** Format-specific facts: version, cluster size, dirty bit, encryption, sub-format. */
  details: Record<string, string | number | boolean>;
}

export interface InternalSnapshot {
  id: string;
  name: string;
  takenAt: string;
  vmStateBytes: number;
}

/** One disk: a virtual block device made of a chain of layers, top first. */
export interface SnapshotImage {
  /** `disk0`, `disk1`, ... in the order of the restore point. */
  name: string;
  format: ImageFormat;
  virtualSizeBytes: number;
  layers: ImageLayer[];
  internalSnapshots: InternalSnapshot[];
  /** Set when the header guard refused the image: nothing may open it. */
  refused: Finding | null;
}

// ---------------------------------------------------------------- bytes

/** Random-access, read-only bytes. `read` rejects with RangeError outside `0..sizeBytes`. */
export interface ByteSource {
  readonly sizeBytes: number;
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Where bytes come from, in a form that can be sent to a worker thread. */
export type SourceSpec = { kind: 'file'; path: string } | { kind: 'nbd'; socketPath: string; exportName: string };

/** A run of bytes. `source` indexes `ByteMap.sources`; null means zeroes (a hole, or unwritten). */
export interface Extent {
  offset: number;
  lengthBytes: number;
  source: number | null;
  sourceOffset: number;
}

/** Any readable thing (disk, volume, guest file) as runs of bytes of open-able sources. Extents are sorted and cover 0..sizeBytes. */
export interface ByteMap {
  sizeBytes: number;
  sources: SourceSpec[];
  extents: Extent[];
}

// ---------------------------------------------------------------- volumes

export type FileSystemType =
  | 'ext2'
  | 'ext3'
  | 'ext4'
  | 'xfs'
  | 'btrfs'
  | 'ntfs'
  | 'fat'
  | 'exfat'
  | 'iso9660'
  | 'squashfs'
  | 'zfs'
  | 'refs'
  | 'hfs+'
  | 'apfs'
  | 'ufs'
  | 'f2fs'
  | 'reiserfs'
  | 'jfs';

/** What lies on a volume. `unknown` holds data nobody recognised; `empty` holds only zeroes where it was sampled. */
export type VolumeContent =
  | { kind: 'filesystem'; type: FileSystemType; uuid: string | null; label: string | null }
  | { kind: 'swap'; uuid: string | null; hibernated: boolean }
  | { kind: 'lvm-member'; uuid: string | null; group: string | null }
  | { kind: 'raid-member'; uuid: string | null; level: string | null; facts: Facts }
  | { kind: 'encrypted'; scheme: 'luks1' | 'luks2' | 'bitlocker' | 'other'; uuid: string | null }
  | { kind: 'boot-code'; what: string }
  | { kind: 'unknown'; firstBytesHex: string }
  | { kind: 'empty' };

export type Facts = Record<string, string | number | boolean | null>;

/**
 * A file system's state as it was captured, read before anything replays its log.
 * `quiesced`: nothing to replay, but clean unmount and freeze look alike here.
 */
export interface CaptureState {
  state: 'clean' | 'frozen' | 'quiesced' | 'needs-replay' | 'damaged' | 'unknown';
  /** One sentence that says which bytes led to it. */
  why: string;
  facts: Facts;
}

export interface Volume {
  /** `disk0` (no partition table), `disk0/p1`, `vg0/root`, `md/0`. */
  id: string;
  /** Its name in the appliance: `/dev/sda1`, `/dev/vg0/root`. */
  device: string;
  sizeBytes: number;
  /** Where its bytes lie on the disks; null when no plain mapping exists (RAID 5, thin pools): read it through the appliance. */
  placement: VolumeSegment[] | null;
  partition: { number: number; type: string; uuid: string | null; name: string | null } | null;
  content: VolumeContent;
  /** Null when the content has no state of its own. */
  captureState: CaptureState | null;
}

/** `lengthBytes` of the volume starting at `offset` are the bytes of `disk` starting at `diskOffset`. */
export interface VolumeSegment {
  offset: number;
  lengthBytes: number;
  disk: string;
  diskOffset: number;
}

export interface PartitionTable {
  disk: string;
  scheme: 'gpt' | 'mbr' | 'none';
  findings: Finding[];
}

// ---------------------------------------------------------------- inspection

/** A place inside the guest, by volume, so that it needs no mount table: paths are absolute within the volume. */
export interface GuestLocation {
  volume: string;
  path: string;
}

/** One line of a guest's fstab held against what is there. `device` and `location` null: what it names is not in the restore point. */
export interface SystemMount {
  mountPoint: string;
  spec: string;
  type: string;
  device: string | null;
  /** Of btrfs: which subvolume is the root of this mount. */
  subvolume: string | null;
  location: GuestLocation | null;
}

export interface OperatingSystem {
  /** Where its root folder lies. */
  root: GuestLocation;
  type: string;
  distro: string;
  productName: string;
  version: string;
  arch: string;
  hostname: string;
  kernels: string[];
  mounts: SystemMount[];
  /** What it is set up to offer over the network. Absent: not looked for, because nothing of the guest is to be started. */
  network?: NetworkOffer;
}

export interface NetworkOffer {
  services: OfferedService[];
  addresses: ConfiguredAddress[];
}

/** A service that starts with the guest, as the guest's files say. */
export interface OfferedService {
  /** The unit that is enabled: `postgresql@15-main`, `ssh.socket`. */
  name: string;
  /** As policies name it; `tcp` and `udp` where nobody here knows what is spoken there. */
  protocol: string;
  port: number;
  /** Null: at every address. */
  address: string | null;
  /** False: only the guest itself can reach it, and nobody else expects to. */
  reachable: boolean;
  /** The file that says so. */
  from: string;
}

/** `lease`: what a DHCP server gave it before; `dhcp`: it asks, and `address` is null. */
export interface ConfiguredAddress {
  method: 'static' | 'dhcp' | 'lease';
  address: string | null;
  prefix: number | null;
  gateway: string | null;
  interface: string | null;
  /** Lower case, with colons. */
  mac: string | null;
  from: string;
}

export type EngineName = string;

/** One database (a cluster, a data directory, a single-file database) found anywhere in the guest. */
export interface DatabaseInstance {
  /** `postgresql disk1/p1:/pgdata`: stable within one inspection. */
  id: string;
  engine: EngineName;
  version: string | null;
  location: GuestLocation;
  /** What belongs to it elsewhere: tablespaces, a log on another disk. `location` null: it points outside the restore point. */
  links: { what: string; target: string; location: GuestLocation | null }[];
  facts: Facts;
}

export interface Inspection {
  tables: PartitionTable[];
  volumes: Volume[];
  systems: OperatingSystem[];
  databases: DatabaseInstance[];
  /** Engines recognised by their files but judged by no check. */
  unjudged: { engine: string; location: GuestLocation }[];
  /** How the members of volume groups and arrays fit each other; `where` names the volume, the group or the array. */
  findings: Finding[];
  /** What could not be looked at, and why. */
  untested: UntestedItem[];
}

export interface GuestEntry {
  location: GuestLocation;
  type: 'file' | 'directory' | 'symlink' | 'other';
  sizeBytes: number;
  /** Of a symlink: its text, not resolved. */
  target: string | null;
  modifiedAt: string | null;
  uid: number;
  gid: number;
  mode: number;
}

/** The files of the guest after file-system replay. Never touches the host's tree: links are followed inside the guest only. */
export interface GuestFiles {
  /** Entry at a place, links not followed; null when there is none. */
  stat(location: GuestLocation): Promise<GuestEntry | null>;
  /** Children of a folder, sorted by path; `recursive` gives the whole tree below it (links not followed). Empty when there is none. */
  list(folder: GuestLocation, options?: { recursive?: boolean }): Promise<GuestEntry[]>;
  /** Follows links; null when the target is not in the restore point. Bounded: a loop gives null. */
  resolve(location: GuestLocation): Promise<GuestLocation | null>;
  /**
   * Where the bytes of files lie, in the order asked (links not followed). Ask for many at once: one call to the appliance.
   * A file that cannot be mapped (compressed, inline, encrypted, delayed) is copied through the appliance and its map points to the copy.
   * Null for what is not a readable regular file.
   */
  map(files: GuestLocation[]): Promise<(ByteMap | null)[]>;
}

// ---------------------------------------------------------------- evidence and findings

export type Severity = 'info' | 'warning' | 'critical';

export interface Finding {
  /** Stable, dotted, lower case: `postgresql.page.checksum`. */
  code: string;
  severity: Severity;
  /** A plain sentence for a tired administrator. */
  message: string;
  /** File, block, LSN, offset: whatever lets somebody look at the very place. */
  where: Record<string, string | number>;
}

export interface CoverageItem {
  what: string;
  how: string;
}

export interface UntestedItem {
  what: string;
  why: string;
  /** True when what was not tested may hold data: then the verdict cannot be `passed`. */
  holdsData: boolean;
}

/** What a check's pure `evaluate` makes of its evidence. */
export interface Judgement {
  outcome: 'pass' | 'fail';
  /** One sentence, in words a tired administrator understands. */
  summary: string;
  findings: Finding[];
  /** What to do about it; empty on a pass. */
  advice?: string;
  /** What this check saw of the consistency at capture. The verdict folds the weakest over all checks. */
  consistency?: { level: Consistency; why: string };
  recovery?: RecoveryEffort;
  /** What this check saw of its database instance. The record folds the worst over all checks of an instance. */
  instanceState?: InstanceState;
  /** Of a check that brought the machine back. */
  way?: WayResult;
  tested: CoverageItem[];
  untested: UntestedItem[];
}

/**
 * `recoverable`: its log covers what is missing in its files. `lost-tail`: consistent, but as of an older instant than the capture.
 * `damaged`: bytes are not what was written. `non-atomic`: files of different instants. `unknown`: could not be judged.
 */
export type InstanceState = 'clean' | 'recoverable' | 'lost-tail' | 'damaged' | 'non-atomic' | 'unknown';

export interface RecoveryEffort {
  needed: boolean;
  /** Measured, or null when only estimated from the log's length. */
  seconds: number | null;
  bytes: number;
}

export type Outcome = 'pass' | 'fail' | 'skip' | 'error';

/** The order in which the runner works, from the cause to its consequences. */
export type CheckStage = 'image' | 'volume' | 'static' | 'memory' | 'logical' | 'recovery' | 'life';

export interface CheckResult {
  id: string;
  stage: CheckStage;
  /** What it looked at: a volume id, an instance id, an image name. */
  target: string;
  outcome: Outcome;
  summary: string;
  durationMs: number;
  findings: Finding[];
  required: boolean;
  advice: string;
  consistency: { level: Consistency; why: string } | null;
  recovery: RecoveryEffort | null;
  /** What it saw of its database instance; null when it says nothing about one. */
  instanceState: InstanceState | null;
  /** What came of a way back; null when it says nothing about one. */
  way: WayResult | null;
  tested: CoverageItem[];
  untested: UntestedItem[];
}

// ---------------------------------------------------------------- verdict and record

export type VerdictWord = 'passed' | 'failed' | 'inconclusive';

/** One database of the record: what all its checks add up to. */
export interface InstanceResult {
  /** The id of its `DatabaseInstance`; of an engine without checks, engine and place. */
  id: string;
  engine: EngineName;
  state: InstanceState;
  why: string;
  /** Where somebody can look: file, block, LSN. Empty when there is no one place. */
  where: Finding['where'];
  /** Of the way back; `seconds` null when not measured. Zero bytes: nothing to replay. */
  recovery: { seconds: number | null; bytes: number };
}

export interface Verdict {
  verdict: VerdictWord;
  /** Why, most important first, in plain sentences. */
  reasons: string[];
  consistency: { declared: Consistency; observed: Consistency; why: string[] };
  recovery: { needed: boolean; seconds: number; bytes: number };
  instances: InstanceResult[];
  /** Both ways back, as far as they were tried. */
  ways: WayResult[];
  coverage: { tested: CoverageItem[]; untested: UntestedItem[] };
}

export interface FileDigest {
  role: FileRole;
  path: string;
  format: string;
  sizeBytes: number;
  sha256: string;
}

/** The stored result of one verification; schema `snapproof.record/v1`. */
export interface VerificationRecord extends Verdict {
  schema: 'snapproof.record/v1';
  id: string;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  restorePoint: { id: string; machine: string; takenAt: string | null; files: FileDigest[] };
  checks: CheckResult[];
  inspection: Inspection | null;
  /** Files kept beside the record. */
  artefacts: Artefact[];
  environment: Record<string, string | number | boolean | null>;
  isolation: Record<string, string | number | boolean | null>;
  deviations: string[];
  stages: { name: string; durationMs: number }[];
  cleanup: { complete: boolean; left: string[] };
}

/** The one document of `--json`; schema `snapproof.run/v1`. */
export interface RunDocument {
  schema: 'snapproof.run/v1';
  summary: { passed: number; failed: number; inconclusive: number };
  records: VerificationRecord[];
}

/** What the user sees while it runs. `total` null: unknown length. */
export interface Progress {
  stage: string;
  what: string;
  doneBytes: number;
  totalBytes: number | null;
}

export type ProgressSink = (progress: Progress) => void;
