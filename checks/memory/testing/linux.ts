/** Structures of a Linux kernel made by a test: mounted file systems, clocks and tasks, at places of its own. */
import type { StructSpecs } from './btf.js';
import { number64, TestKernel } from './kernel.js';

/** Only what is read; where the members lie is arbitrary. */
export const LINUX_TYPES: StructSpecs = {
  list_head: { size: 16, members: { next: { offset: 0, type: 8 }, prev: { offset: 8, type: 8 } } },
  writers: { size: 8, members: { frozen: { offset: 4, type: 4 } } },
  counter: { size: 8, members: { counter: { offset: 0, type: 8 } } },
  super_block: {
    size: 200,
    members: {
      s_list: { offset: 8, type: { struct: 'list_head' } },
      s_flags: { offset: 24, type: 8 },
      s_type: { offset: 32, type: 8 },
      s_id: { offset: 40, type: { array: 32 } },
      s_uuid: { offset: 72, type: { array: 16 } },
      s_fs_info: { offset: 96, type: 8 },
      s_writers: { offset: 104, type: { struct: 'writers' } },
    },
  },
  file_system_type: { size: 24, members: { name: { offset: 0, type: 8 }, fs_flags: { offset: 8, type: 4 } } },
  ext4_sb_info: { size: 64, members: { s_journal: { offset: 40, type: 8 } } },
  journal_s: {
    size: 64,
    members: {
      j_flags: { offset: 0, type: 8 },
      j_errno: { offset: 8, type: 4 },
      j_commit_sequence: { offset: 16, type: 4 },
      j_committing_transaction: { offset: 24, type: 8 },
    },
  },
  transaction_s: { size: 32, members: { t_tid: { offset: 8, type: 4 } } },
  xfs_mount: { size: 64, members: { m_log: { offset: 48, type: 8 } } },
  xlog: {
    size: 64,
    members: {
      l_curr_cycle: { offset: 0, type: 4 },
      l_curr_block: { offset: 4, type: 4 },
      l_opstate: { offset: 8, type: 8 },
      l_last_sync_lsn: { offset: 16, type: { struct: 'counter' } },
    },
  },
  clock_base: { size: 24, members: { shift: { offset: 8, type: 4 }, xtime_nsec: { offset: 16, type: 8 } } },
  time: { size: 16, members: { tv_sec: { offset: 0, type: 8 }, tv_nsec: { offset: 8, type: 8 } } },
  timekeeper: {
    size: 80,
    members: {
      tkr_mono: { offset: 0, type: { struct: 'clock_base' } },
      xtime_sec: { offset: 24, type: 8 },
      ktime_sec: { offset: 32, type: 8 },
      wall_to_monotonic: { offset: 40, type: { struct: 'time' } },
    },
  },
  tk_data: { size: 96, members: { seq: { offset: 0, type: 4 }, timekeeper: { offset: 8, type: { struct: 'timekeeper' } } } },
  rq: { size: 32, members: { clock: { offset: 16, type: 8 } } },
  sched_info: { size: 16, members: { last_arrival: { offset: 8, type: 8 } } },
  task_struct: {
    size: 160,
    members: {
      __state: { offset: 0, type: 4 },
      pid: { offset: 4, type: 4 },
      comm: { offset: 8, type: { array: 16 } },
      tasks: { offset: 24, type: { struct: 'list_head' } },
      thread_node: { offset: 40, type: { struct: 'list_head' } },
      signal: { offset: 56, type: 8 },
      sched_info: { offset: 64, type: { struct: 'sched_info' } },
    },
  },
  signal_struct: { size: 32, members: { thread_head: { offset: 16, type: { struct: 'list_head' } } } },
};

export interface MountSpec {
  device: string;
  type: 'ext4' | 'xfs' | 'tmpfs';
  uuid: string;
  frozen?: number;
  readOnly?: boolean;
  /** Default true. */
  steady?: boolean;
  journal?: { committed: number; committing?: number; flags?: bigint; errno?: number } | null;
  log?: { next: [number, number]; written: [number, number]; state?: bigint };
}

export interface TaskSpec {
  name: string;
  pid: number;
  state: number;
  ranAtSeconds: number;
}

export interface LinuxSpec {
  mounts?: MountSpec[];
  tasks?: TaskSpec[];
  wallSeconds?: number;
  upSeconds?: number;
  panicCpu?: number;
}

export function makeLinux({ mounts = [], tasks = [], wallSeconds = 1_800_000_000, upSeconds = 1000, panicCpu = -1 }: LinuxSpec): TestKernel {
  const kernel = new TestKernel({ structs: LINUX_TYPES });
  const head = kernel.room(16, 'super_blocks');
  kernel.link(
    head,
    mounts.map((mount) => makeMount(kernel, mount)),
    8,
  );
  makeClocks(kernel, wallSeconds, upSeconds);
  makeTasks(kernel, tasks);
  kernel.place(number64(BigInt(panicCpu)), 'panic_cpu');
  return kernel.finish();
}

function makeMount(kernel: TestKernel, spec: MountSpec): bigint {
  const type = Buffer.alloc(24);
  type.writeBigUInt64LE(BigInt.asUintN(64, kernel.place(Buffer.from(`${spec.type}\0`))));
  type.writeUInt32LE(spec.type === 'tmpfs' ? 0 : 1, 8);
  const block = Buffer.alloc(200);
  block.writeBigUInt64LE((spec.readOnly ? 1n : 0n) | (spec.steady === false ? 0n : 3n << 29n), 24);
  block.writeBigUInt64LE(BigInt.asUintN(64, kernel.place(type)), 32);
  block.write(spec.device, 40);
  Buffer.from(spec.uuid.replaceAll('-', ''), 'hex').copy(block, 72);
  block.writeBigUInt64LE(BigInt.asUintN(64, spec.type === 'xfs' ? makeXfs(kernel, spec.log) : makeExt4(kernel, spec.journal ?? null)), 96);
  block.writeUInt32LE(spec.frozen ?? 0, 108);
  return kernel.place(block);
}

function makeExt4(kernel: TestKernel, journal: NonNullable<MountSpec['journal']> | null): bigint {
  const info = Buffer.alloc(64);
  if (journal === null) return kernel.place(info);
  const bytes = Buffer.alloc(64);
  bytes.writeBigUInt64LE(journal.flags ?? 0n, 0);
  bytes.writeInt32LE(journal.errno ?? 0, 8);
  bytes.writeUInt32LE(journal.committed, 16);
  if (journal.committing !== undefined) {
    const transaction = Buffer.alloc(32);
    transaction.writeUInt32LE(journal.committing, 8);
    bytes.writeBigUInt64LE(kernel.place(transaction), 24);
  }
  info.writeBigUInt64LE(kernel.place(bytes), 40);
  return kernel.place(info);
}

function makeXfs(kernel: TestKernel, log: MountSpec['log']): bigint {
  const mount = Buffer.alloc(64);
  if (!log) return kernel.place(mount);
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(log.next[0], 0);
  bytes.writeUInt32LE(log.next[1], 4);
  bytes.writeBigUInt64LE(log.state ?? 0n, 8);
  bytes.writeUInt32LE(log.written[1], 16);
  bytes.writeUInt32LE(log.written[0], 20);
  mount.writeBigUInt64LE(kernel.place(bytes), 48);
  return kernel.place(mount);
}

function makeClocks(kernel: TestKernel, wallSeconds: number, upSeconds: number): void {
  const shift = 8;
  const core = Buffer.alloc(96);
  const keeper = core.subarray(8);
  keeper.writeUInt32LE(shift, 8);
  keeper.writeBigUInt64LE(BigInt(Math.round((wallSeconds % 1) * 1e9)) << BigInt(shift), 16);
  keeper.writeBigUInt64LE(BigInt(Math.floor(wallSeconds)), 24);
  keeper.writeBigUInt64LE(BigInt(Math.floor(upSeconds)), 32);
  keeper.writeBigInt64LE(BigInt(Math.floor(upSeconds) - Math.floor(wallSeconds)), 40);
  kernel.place(core, 'tk_core');
  const queues = kernel.room(64, 'runqueues');
  kernel.write(queues + 16n, number64(BigInt(Math.round(upSeconds * 1e9)) - 4_000_000n));
  kernel.write(queues + 48n, number64(BigInt(Math.round(upSeconds * 1e9))));
  kernel.place(number64(2n), 'nr_cpu_ids');
  kernel.place(Buffer.concat([number64(0n), number64(32n)]), '__per_cpu_offset');
}

/** Every task is a process of its own. */
function makeTasks(kernel: TestKernel, specs: TaskSpec[]): void {
  const all = [{ name: 'swapper/0', pid: 0, state: 0, ranAtSeconds: 0 }, ...specs];
  const addresses = all.map(({ name, pid, state, ranAtSeconds }, index) => {
    const task = Buffer.alloc(160);
    task.writeUInt32LE(state, 0);
    task.writeUInt32LE(pid, 4);
    task.write(name, 8);
    task.writeBigUInt64LE(BigInt(Math.round(ranAtSeconds * 1e9)), 72);
    const signal = kernel.room(32);
    task.writeBigUInt64LE(BigInt.asUintN(64, signal), 56);
    const address = kernel.place(task, index === 0 ? 'init_task' : undefined);
    kernel.link(signal + 16n, [address], 40);
    return address;
  });
  const [first = 0n, ...rest] = addresses;
  kernel.link(first + 24n, rest, 24);
}
