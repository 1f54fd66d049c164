/** `node dist/checks/innodb/testing/measure-memory.js [--instants N]`: how often `innodb/saved-memory` is right about a real server. */
import { parseArgs } from 'node:util';
import { Instant, type Said } from './instants.js';
import { TestServer } from './server.js';

const { values } = parseArgs({ options: { instants: { type: 'string', default: '20' }, only: { type: 'string', default: '' } } });
const INSTANTS = Number(values.instants);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

type Taker = (server: TestServer, take: () => void) => Promise<void>;
interface Scenario {
  name: string;
  settings?: string[];
  run: Taker;
  /** Every memory is held against all files, not only its own. */
  pairs?: boolean;
}

const underLoad: Taker = async (server, take) => {
  server.startLoad();
  for (let i = 0; i < INSTANTS; i++) {
    await pause(50 + Math.random() * 1500);
    take();
  }
};

const BULK = 'use load_test; insert into accounts (balance, filler) select seq, md5(rand()) from seq_1_to_30000; delete from accounts where id > 20000;';

const inBulk: Taker = async (server, take) => {
  for (let i = 0; i < INSTANTS; i++) {
    const work = server.later(BULK);
    await pause(Math.random() * 800);
    take();
    await work;
  }
};

const restarted =
  (mode: 'fast' | 'kill', later: boolean): Taker =>
  async (server, take) => {
    for (let i = 0; i < INSTANTS; i++) {
      server.startLoad();
      await pause(1000 + Math.random() * 3000);
      await server.stop(mode);
      if (later) await server.start();
      else {
        server.launch();
        await pause(30 + Math.random() * 900);
      }
      take();
      await server.untilAnswering();
    }
  };

const idle: Taker = async (server, take) => {
  server.startLoad();
  await pause(5000);
  server.stopLoad();
  for (let i = 0; i < INSTANTS; i++) {
    await pause(1000 + Math.random() * 2000);
    take();
  }
};

const seldom: Taker = async (server, take) => {
  for (let i = 0; i < INSTANTS; i++) {
    server.sql(`update load_test.accounts set balance = balance + 1 where id = ${1 + i}`);
    await pause(Math.random() * 2000);
    take();
  }
};

/** The server's own default. */
const LARGE = '--innodb-log-file-size=96M';
const load = (name: string, ...settings: string[]): Scenario => ({ name, settings, run: underLoad, pairs: true });
const SCENARIOS: Scenario[] = [
  load('load, flushed at commit', LARGE, '--innodb-flush-log-at-trx-commit=1'),
  load('load, flushed each second', LARGE, '--innodb-flush-log-at-trx-commit=0'),
  load('load, written at commit', LARGE, '--innodb-flush-log-at-trx-commit=2'),
  load('load, small log'),
  load('load, small buffer', LARGE, '--innodb-log-buffer-size=2M'),
  load('load, buffered', LARGE, '--innodb-log-file-buffering=ON'),
  { name: 'large transactions', settings: [LARGE], run: inBulk, pairs: true },
  { name: 'a change now and then', run: seldom, pairs: true },
  { name: 'idle', run: idle },
  { name: 'just started', run: restarted('fast', true) },
  { name: 'starting', run: restarted('fast', false) },
  { name: 'just recovered', run: restarted('kill', true) },
  { name: 'recovering', run: restarted('kill', false) },
];

const counted = (all: Said[]): string => {
  const counts = new Map<string, number>();
  for (const { relation, summary } of all) {
    const said = relation === 'unknown' ? `(${summary.replace(/^.*?: |\.$|\d+/g, '')})` : relation;
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  return [...counts].map(([relation, count]) => `${relation} ${count}`).join(', ') || '-';
};

async function measure({ name, settings = [], run, pairs }: Scenario): Promise<void> {
  const server = await TestServer.create({ settings });
  const instants: Instant[] = [];
  try {
    await run(server, () => instants.push(Instant.of(server, `instant${instants.length}`)));
    await server.stop('fast');
    const same: Said[] = [];
    for (const instant of instants) same.push(await instant.withMemoryOf(instant));
    console.log(`${name}: of one instant: ${counted(same)}`);
    for (const { relation, summary, evidence } of same) if (relation !== 'agrees') console.log(`  ${summary} ${JSON.stringify(evidence)}`);
    for (const lost of LOST) console.log(`  of a server that is gone, without ${100 * lost} % of its pages: ${counted(await thinned(instants, lost))}`);
    if (pairs) await measurePairs(instants);
  } finally {
    await server.destroy();
  }
}

/** A server that was killed leaves its memory, page by page, to others. */
const LOST = [0.2, 0.5, 0.8];

async function thinned(instants: Instant[], lost: number): Promise<Said[]> {
  const all: Said[] = [];
  for (const instant of instants) for (let i = 0; i < 2; i++) all.push(await instant.withMemoryOf(instant, lost));
  return all;
}

/** Of each kind at most so many, by chance. */
const MAX_PAIRS = 30;
const DISTANCES = [
  [1, 1],
  [2, 4],
  [5, 14],
  [15, 1000],
] as const;

async function measurePairs(instants: Instant[]): Promise<void> {
  for (const sign of [1, -1]) {
    for (const [from, to] of DISTANCES) {
      const pairs = instants.flatMap((memory, i) =>
        instants.filter((_, j) => sign * (j - i) >= from && sign * (j - i) <= to).map((files) => ({ memory, files, order: Math.random() })),
      );
      const chosen = pairs.sort((a, b) => a.order - b.order).slice(0, MAX_PAIRS);
      const all: Said[] = [];
      for (const { memory, files } of chosen) all.push(await files.withMemoryOf(memory));
      if (all.length > 0) console.log(`  disks ${sign > 0 ? 'later' : 'earlier'} by ${from} to ${to} instants: ${counted(all)}`);
    }
  }
}

for (const scenario of SCENARIOS) if (scenario.name.includes(values.only)) await measure(scenario);
