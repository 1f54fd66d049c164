/**
 * Types of the ways back, after src/types.ts: the saved memory, the hardware it needs, the machine that is started, and what was
 * seen of its life. Plain data (JSON), except where bytes are read. Sizes are bytes, times are milliseconds.
 */
import type { Readable } from 'node:stream';
import type { Finding, VerdictWord } from './types.js';

/** `resume`: from the saved memory, on the disks as captured. `boot`: cold, from the disks alone. */
export type Way = 'resume' | 'boot';

// ---------------------------------------------------------------- saved memory

export type MemoryContainer = 'qemu-stream' | 'libvirt-save' | 'qcow2-snapshot' | 'unread';
export type MemoryCompression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'lzop';

/** What a memory file says of the machine it was saved from. Nothing of it is trusted before it is held against the manifest. */
export interface MemoryFacts {
  /** `unread`: recognised (or not) and not read by this version; `why` says what it is. */
  container: MemoryContainer;
  compression: MemoryCompression;
  why: string;
  /** Versioned: `pc-q35-7.2`. Null when the stream does not say. */
  machineType: string | null;
  /** RAM of the machine itself (`pc.ram` and further DIMMs), without ROMs and video memory. */
  ramBytes: number;
  blocks: { name: string; sizeBytes: number }[];
  cpus: CpuFacts[];
  devices: StreamDevice[];
  /** QEMU's run state at the save: `running`, `paused`, ... Null when it does not say. */
  runState: string | null;
  /** Pages lie at places of their own (mapped-ram): QEMU takes such a stream from a file only, and `stream` cannot give it. */
  mappedPages: boolean;
  /** The domain's XML of a libvirt save; null elsewhere. */
  domainXml: string | null;
  /** The stream ends where it should, with all its parts. */
  complete: boolean;
  /** What is broken or contradicts itself, with the offset in the (unpacked) stream. */
  findings: Finding[];
}

export interface CpuFacts {
  index: number;
  halted: boolean;
  /** IF in RFLAGS. */
  interruptsEnabled: boolean;
  mode: 'real' | 'protected' | 'long';
  /** Control registers and model specific registers that decide what can continue it; hexadecimal. `apicTimer`: `tsc-deadline`, ... */
  registers: Record<string, string>;
}

/** One device of the stream's own description. */
export interface StreamDevice {
  /** As in the stream: `0000:00:03.0/virtio-blk`, `serial`, `cpu`. */
  name: string;
  instance: number;
  /** `03.0` of a PCI device; behind bridges the whole way: `08.0:00.0`. */
  pciAddress: string | null;
  /** What its PCI configuration space says, as the guest saw it. */
  pci: PciFacts | null;
  virtio: VirtioFacts | null;
}

export interface PciFacts {
  /** `1af4:1001` */
  id: string;
  subsystem: string;
  revision: number;
  /** `0300`: base class and subclass. */
  classCode: string;
  multifunction: boolean;
  /** Number of MSI-X vectors; null: it has none. */
  msixVectors: number | null;
  /** Of a port of PCI Express: its number, and the slot it serves. */
  port: { number: number; slot: number } | null;
  /** Of a conventional bridge with a slot number of its own. */
  chassis: number | null;
  /** Of virtio devices: whether it offers the interface of virtio 1.0. */
  modern: boolean;
  /** Of a USB 3 controller: how many ports it has, those of both speeds counted. */
  usbPorts: number | null;
}

export interface VirtioFacts {
  queues: number;
  /** Of a block device, when the guest has asked for it. */
  capacityBytes: number | null;
  /** Of a network card. */
  mac: string | null;
  /** Of a network card: packets carry a header that its new peer must understand too. */
  vnetHeader: boolean;
  /** Of a serial controller: the numbers of its ports. */
  ports: number[];
}

/** Memory as the guest's physical addresses see it. What was never written is zero. */
export interface GuestRam {
  /** Lengths of the runs of RAM by first address, ascending. */
  readonly ranges: { address: number; lengthBytes: number }[];
  /** @throws RangeError outside `ranges` */
  read(address: number, lengthBytes: number): Promise<Buffer>;
  /** All pages that are not one repeated byte, in runs of whole pages, ascending; the buffer is only good until the next one is asked for. */
  pages(signal: AbortSignal): AsyncIterable<{ address: number; bytes: Buffer }>;
}

/** A memory file, opened: unpacked into the run's own folder where it was compressed. */
export interface SavedMemory {
  readonly facts: MemoryFacts;
  /** Null when the container is not read, or nothing of its RAM could be. */
  readonly ram: GuestRam | null;
  /** QEMU's stream from its first byte, unpacked, for a machine that is resumed. @throws LabError when there is none */
  stream(): Readable;
  close(): Promise<void>;
}

// ---------------------------------------------------------------- hardware

export type HardwareOrigin = 'stream' | 'libvirt' | 'manifest' | 'disks' | 'default';

/** A machine that can be started: everything QEMU must be told, with where each part was learnt. */
export interface MachineDescription {
  machineType: string;
  /** Further options of the machine: `{ hpet: 'off' }`. */
  machineOptions: Record<string, 'on' | 'off'>;
  cpuModel: string;
  cpus: number;
  memoryMiB: number;
  firmware: 'bios' | 'uefi';
  /** Of a UEFI machine that is resumed: the sizes of its flash devices. What is in them comes with the stream. */
  flashBytes: number[];
  /**
   * Objects for QEMU's `-device`, in order, with values of JSON's types. `drive` names a disk of the restore point (`disk0`), `netdev` is
   * `net0`, `net1`, ... for the network cards, `chardev` `serial0`, `serial1`, ... and `audiodev` `audio0`: nothing else of the host.
   */
  devices: Record<string, string | number | boolean>[];
  /** By field: `{ cpus: 'stream', cpuModel: 'manifest' }`. */
  origins: Record<string, HardwareOrigin>;
  /** How it differs from the original, in sentences for the record: less RAM, a device left out. */
  deviations: string[];
}

/** A described machine, and what was noticed while it was described. */
export interface DescribedMachine {
  description: MachineDescription;
  /** What contradicts itself between the saved memory, libvirt's description, the manifest and the disks. */
  findings: Finding[];
  /** Why the memory cannot be resumed on it: clauses without a full stop. Empty for a cold boot. */
  obstacles: string[];
}

// ---------------------------------------------------------------- the machine, seen from outside

/** Counters since the machine started to run; all cheap to read. What this QEMU or accelerator cannot tell is null. */
export interface Look {
  wallMs: number;
  /** The guest's clock as QEMU keeps it: stands still while the machine is paused. */
  guestMs: number;
  /** By vCPU; those of a machine whose clock runs ahead share one thread, and all have its times. `waitedMs`: it wanted to run and the host had no processor for it; that time is nobody's fault but the host's. */
  vcpus: { cpuMs: number; waitedMs: number }[];
  disks: { disk: string; reads: number; writes: number; readBytes: number; writtenBytes: number; flushes: number; failed: number; pending: number | null }[];
  /** Software emulation only. `flushes` rises with switches between address spaces, `blocks` with code that never ran before. */
  jit: { flushes: number; blocks: number } | null;
  /**
   * Interrupts that devices and timers raised at the i8259 and the I/O APIC, whether the guest takes them or not: a timer that
   * was once set goes on for a guest that halted for good. No sign of life; that it stands still may be a sign of none.
   */
  interrupts: number | null;
  /** Pages of a sample of RAM that changed since the look before; `sampled` is how many were compared. */
  memory: { changed: number; sampled: number } | null;
  /** `digest` of the pixels; `text` exact in text modes, null in graphics modes. `blank`: one colour only. */
  screen: { digest: string; text: string | null; width: number; height: number; blank: boolean } | null;
  serialBytes: number;
  /** QEMU's run state. */
  status: string;
  /** Frames that the guest sent. */
  framesSent: number | null;
}

/** One that matters of QEMU's events. */
export interface MachineEvent {
  wallMs: number;
  guestMs: number;
  event: string;
  data: Record<string, unknown>;
}

/** A file that a run keeps beside its record, by its content. */
export interface Artefact {
  /** `resume/screen-003.png`. */
  name: string;
  mediaType: string;
  sizeBytes: number;
  sha256: string;
}

// ---------------------------------------------------------------- life

export type LifeState =
  | 'alive'
  | 'alive-idle'
  | 'alive-busy'
  | 'panicked'
  | 'hard-hang'
  | 'soft-hang'
  | 'partial-hang'
  | 'io-hang'
  | 'dead-halt'
  | 'boot-loop'
  | 'stuck-in-loader'
  | 'no-boot-device'
  | 'emergency-shell'
  | 'needs-passphrase'
  | 'unknown';

/** How far a cold boot came. */
export type BootStage = 'firmware' | 'loader' | 'kernel' | 'user-space' | 'service' | 'login';

/** One way back of the record. */
export interface WayResult {
  way: Way;
  verdict: VerdictWord;
  state: LifeState;
  why: string;
  /** From the start (or the resume) until the guest did its work: the measured restore time. Null when it never came to that. */
  secondsToService: number | null;
  /** The same on the guest's own clock. */
  guestSecondsToService: number | null;
  /** `virtualised` runs at the speed of a restore; `emulated` is many times slower, and the record says so. */
  accelerator: 'kvm' | 'tcg';
}
