import { describe, expect, it } from 'vitest';
import { BlockTable } from '../../../src/bytes/block-table.js';
import { emptyCatalogueFacts } from '../catalogue/facts.js';
import { judgeByLog, type LengthOf } from '../catalogue/lengths.js';
import { RelationIndex } from '../catalogue/relation-index.js';
import type { RelationEntry } from '../cluster-files.js';
import { ROW } from '../format/heap.js';
import type { StatusFiles } from '../status/files.js';
import { RowJudge } from '../status/row-state.js';
import { LogChanges } from './changes.js';
import type { WalRecord } from './reader.js';
import { STATUS } from './transaction-table.js';

/** A record of a resource manager with words as its data. */
function record(resourceManager: number, info: number, words: number[], transaction = 0): [WalRecord, { blocks: []; mainOffset: number; mainBytes: number }] {
  const bytes = Buffer.from(Uint32Array.from(words).buffer);
  const header = { totalBytes: bytes.length, transaction, previous: 0, info, resourceManager, crc: 0, start: 0, end: 0, offset: 0, version: 15 };
  return [
    { ...header, bytes },
    { blocks: [], mainOffset: 0, mainBytes: bytes.length },
  ];
}

describe('what the log does to relations', () => {
  it('is known of the log to be replayed, and truncations of all', () => {
    const changes = new LogChanges();
    changes.visit(...record(2, 0x10, [1663, 5, 16384, 0]), true);
    changes.visit(...record(2, 0x10, [1663, 5, 16390, 0]), false);
    changes.visit(...record(1, 0x80, [0, 0, 4, 1, 1663, 5, 16385], 900), true);
    changes.visit(...record(2, 0x20, [7, 1663, 5, 16386, 7]), false);
    changes.visit(...record(4, 0x20, [16400, 1, 1663]), true);
    expect(changes.relation(1663, 5, 16384)).toEqual({ created: true, creator: 0, dropped: false, truncatedTo: null });
    expect(changes.relation(1663, 5, 16385)).toEqual({ created: false, creator: 0, dropped: true, truncatedTo: null });
    expect(changes.relation(1663, 5, 16386)?.truncatedTo).toBe(7);
    expect(changes.relation(1663, 5, 16390)).toBeUndefined();
    expect(changes.databases.has(16400)).toBe(true);
    expect(changes.ended.get(900)).toBe(STATUS.committed);
  });

  it('is not read from records that are too short', () => {
    const changes = new LogChanges();
    for (let manager = 0; manager < 20; manager++) for (let info = 0; info < 256; info += 16) changes.visit(...record(manager, info, [1]), true);
    expect(changes.relations.size).toBe(0);
  });
});

describe('a row', () => {
  const changes = new LogChanges();
  changes.ended.note(900, STATUS.committed);
  const status = Buffer.alloc(8192);
  status[250] = 0b01_10_01_00; // 1001 committed, 1002 aborted, 1003 committed
  const files = { pageBytes: 8192, page: async (page: number) => (page === 0 ? status : null) } as unknown as StatusFiles;
  const judge = (inserted: number, deleted: number, infomask: number, commitsNameFiles = false) =>
    new RowJudge(changes, files).judge({ dataOffset: 0, endOffset: 0, inserted, deleted, infomask }, commitsNameFiles);
  const { insertCommitted, insertInvalid, deleteInvalid, deleteCommitted, deleteIsMulti, lockOnly } = ROW;

  it.each([
    ['inserted by a transaction that is in pg_xact', 1001, 0, deleteInvalid, 'live'],
    ['inserted by one that aborted', 1002, 0, deleteInvalid, 'gone'],
    ['inserted by one that never ended', 1000, 0, deleteInvalid, 'gone'],
    ['inserted by one that the log commits', 900, 0, deleteInvalid, 'live'],
    ['inserted by one of which nothing is known', 40_000, 0, deleteInvalid, 'undecided'],
    ['frozen', 5, 0, insertCommitted | insertInvalid | deleteInvalid, 'live'],
    ['deleted by one that committed', 1001, 1003, 0, 'gone'],
    ['deleted by one that aborted', 1001, 1002, 0, 'live'],
    ['deleted, by its hint', 1001, 1000, deleteCommitted, 'gone'],
    ['locked', 1001, 1003, lockOnly, 'live'],
    ['deleted by one of several', 1001, 7, deleteIsMulti, 'undecided'],
  ])('%s', async (_name, inserted, deleted, infomask, state) => {
    expect(await judge(inserted, deleted, infomask)).toBe(state);
  });

  it('of pg_class that the log deletes still speaks for its file', async () => {
    expect(await judge(1001, 900, 0, false)).toBe('gone');
    expect(await judge(1001, 900, 0, true)).toBe('live');
  });
});

describe('the length of a file', () => {
  const known = (blocks: number, truncated = false): LengthOf => ({ file: 'base/5/7', relation: 'orders', database: 'shop', blocks, truncated });
  const judge = (table: BlockTable, length: LengthOf, judgeStale = true) => {
    const facts = emptyCatalogueFacts();
    judgeByLog(table, new Map([[0, length]]), judgeStale, facts);
    return facts.short.examples;
  };

  it('reaches what the log before redo names, unless the log makes it anew or truncated it', () => {
    const table = new BlockTable();
    table.require(0, 9, 100);
    expect(judge(table, known(10))).toEqual([]);
    expect(judge(table, known(9))).toMatchObject([{ blocks: 9, needed: 10, by: 'the log before the checkpoint' }]);
    expect(judge(table, known(9), false)).toEqual([]);
    table.touch(0, 9, true);
    expect(judge(table, known(9))).toEqual([]);
  });

  it('reaches what recovery reads before anything made the file longer', () => {
    const table = new BlockTable();
    table.touch(0, 9, false);
    expect(judge(table, known(9))).toMatchObject([{ needed: 10, by: 'the log to be replayed' }]);
    expect(judge(table, known(9, true))).toEqual([]);
    table.touch(0, 12, true);
    expect(judge(table, known(9))).toEqual([]);
  });

  it('counts whole segments up to the first gap', () => {
    const entry = (segment: number, sizeBytes: number): RelationEntry => {
      const place = { volume: 'v', path: `/base/5/7${segment ? `.${segment}` : ''}` };
      return { path: place.path.slice(1), location: place, sizeBytes, tablespace: 1663, database: 5, relation: 7, fork: 'main', segment, temporary: false };
    };
    const blocks = (entries: RelationEntry[]) => {
      const index = new RelationIndex(entries);
      const parts = index.find(1663, 5, 7);
      return parts ? index.blocks(parts, 8192, 4) : null;
    };
    const full = 4 * 8192;
    expect(blocks([entry(0, full), entry(1, full), entry(2, 8192)])).toBe(9);
    expect(blocks([entry(2, 8192), entry(0, full)])).toBe(4);
    expect(blocks([entry(1, full)])).toBe(0);
    expect(blocks([entry(0, 8192), entry(1, full)])).toBe(1);
  });
});
