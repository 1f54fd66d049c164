/** Every check and every engine finder there is. A new one is listed here and nowhere else. */
import type { Check, EngineFinder } from '../src/check.js';
import applicationFiles from './application/files/index.js';
import applicationSql from './application/sql/index.js';
import ariaTables from './aria/tables/index.js';
import etcdLog from './bbolt/etcd-log/index.js';
import { boltFinder } from './bbolt/finder.js';
import boltStructure from './bbolt/structure/index.js';
import { berkeleyFinder } from './berkeleydb/finder.js';
import berkeleyPages from './berkeleydb/pages/index.js';
import { eseFinder } from './ese/finder.js';
import eseLog from './ese/log/index.js';
import esePages from './ese/pages/index.js';
import eseStructure from './ese/structure/index.js';
import filesystemConsistency from './filesystem/consistency/index.js';
import stateAtCapture from './filesystem/state-at-capture/index.js';
import { firebirdFinder } from './firebird/finder.js';
import firebirdStructure from './firebird/structure/index.js';
import imageCompleteness from './image/completeness/index.js';
import imageStructure from './image/structure/index.js';
import innodbCheckTable from './innodb/check-table/index.js';
import { innodbFinder } from './innodb/find.js';
import innodbLogVersusPages from './innodb/log-versus-pages/index.js';
import innodbPageChecksums from './innodb/page-checksums/index.js';
import innodbRecovery from './innodb/recovery/index.js';
import innodbRedoLog from './innodb/redo-log/index.js';
import innodbSavedMemory from './innodb/saved-memory/index.js';
import { lmdbFinder } from './lmdb/finder.js';
import lmdbStructure from './lmdb/structure/index.js';
import { luceneFinder } from './lucene/finder.js';
import luceneSegments from './lucene/segments/index.js';
import machineBoot from './machine/boot/index.js';
import machineResume from './machine/resume/index.js';
import memoryFrozen from './memory/frozen/index.js';
import memoryKernelLog from './memory/kernel-log/index.js';
import memorySkew from './memory/skew/index.js';
import memoryStream from './memory/stream/index.js';
import { mssqlFinder } from './mssql/finder.js';
import mssqlLogVersusPages from './mssql/log-versus-pages/index.js';
import mssqlPageChecksums from './mssql/page-checksums/index.js';
import myisamTables from './myisam/tables/index.js';
import oracleBlocks from './oracle/blocks/index.js';
import { oracleFinder } from './oracle/finder.js';
import oracleRedo from './oracle/redo/index.js';
import amcheck from './postgresql/amcheck/index.js';
import postgresqlCatalogue from './postgresql/catalogue/index.js';
import controlFile from './postgresql/control-file/index.js';
import { postgresqlFinder } from './postgresql/find.js';
import logVersusPages from './postgresql/log-versus-pages/index.js';
import pageChecksums from './postgresql/page-checksums/index.js';
import postgresqlRecovery from './postgresql/recovery/index.js';
import savedMemory from './postgresql/saved-memory/index.js';
import transactionStatus from './postgresql/transaction-status/index.js';
import walChain from './postgresql/wal-chain/index.js';
import zeroedPages from './postgresql/zeroed-pages/index.js';
import redisAof from './redis/aof/index.js';
import { redisFinder } from './redis/finder.js';
import redisRdb from './redis/rdb/index.js';
import redisRecovery from './redis/recovery/index.js';
import { registryFinder } from './registry/finder.js';
import registryLog from './registry/log/index.js';
import registryStructure from './registry/structure/index.js';
import rocksFiles from './rocksdb/files/index.js';
import { rocksFinder } from './rocksdb/finder.js';
import { sqliteFinder } from './sqlite/finder.js';
import sqliteIntegrityCheck from './sqlite/integrity-check/index.js';
import sqlitePageStructure from './sqlite/page-structure/index.js';
import sqliteWal from './sqlite/wal/index.js';
import members from './volume/members/index.js';
import partitionTable from './volume/partition-table/index.js';
import wiredTigerCheckpoint from './wiredtiger/checkpoint/index.js';
import { wiredTigerFinder } from './wiredtiger/finder.js';

/** In the order in which they are listed and, within a stage, run. */
export const CHECKS = [
  imageCompleteness,
  imageStructure,
  partitionTable,
  members,
  stateAtCapture,
  filesystemConsistency,
  controlFile,
  walChain,
  pageChecksums,
  logVersusPages,
  postgresqlCatalogue,
  transactionStatus,
  zeroedPages,
  postgresqlRecovery,
  amcheck,
  innodbRedoLog,
  innodbPageChecksums,
  innodbLogVersusPages,
  ariaTables,
  myisamTables,
  innodbRecovery,
  innodbCheckTable,
  sqliteWal,
  sqlitePageStructure,
  sqliteIntegrityCheck,
  redisRdb,
  redisAof,
  redisRecovery,
  lmdbStructure,
  berkeleyPages,
  boltStructure,
  etcdLog,
  mssqlPageChecksums,
  mssqlLogVersusPages,
  oracleBlocks,
  oracleRedo,
  eseLog,
  esePages,
  eseStructure,
  registryLog,
  registryStructure,
  firebirdStructure,
  wiredTigerCheckpoint,
  luceneSegments,
  rocksFiles,
  memoryStream,
  memorySkew,
  memoryKernelLog,
  memoryFrozen,
  savedMemory,
  innodbSavedMemory,
  machineResume,
  machineBoot,
  applicationFiles,
  applicationSql,
] as unknown as Check[];

export const FINDERS: EngineFinder[] = [
  postgresqlFinder,
  sqliteFinder,
  redisFinder,
  lmdbFinder,
  berkeleyFinder,
  boltFinder,
  mssqlFinder,
  oracleFinder,
  eseFinder,
  registryFinder,
  firebirdFinder,
  wiredTigerFinder,
  innodbFinder,
  luceneFinder,
  rocksFinder,
];
