/** Every check and every engine finder there is. A new one is listed here and nowhere else. */
import type { Check, EngineFinder } from '../src/check.js';
import filesystemConsistency from './filesystem/consistency/index.js';
import stateAtCapture from './filesystem/state-at-capture/index.js';
import imageCompleteness from './image/completeness/index.js';
import imageStructure from './image/structure/index.js';
import amcheck from './postgresql/amcheck/index.js';
import controlFile from './postgresql/control-file/index.js';
import { postgresqlFinder } from './postgresql/find.js';
import logVersusPages from './postgresql/log-versus-pages/index.js';
import pageChecksums from './postgresql/page-checksums/index.js';
import postgresqlRecovery from './postgresql/recovery/index.js';
import walChain from './postgresql/wal-chain/index.js';
import { sqliteFinder } from './sqlite/finder.js';
import sqliteIntegrityCheck from './sqlite/integrity-check/index.js';
import sqlitePageStructure from './sqlite/page-structure/index.js';
import sqliteWal from './sqlite/wal/index.js';
import members from './volume/members/index.js';
import partitionTable from './volume/partition-table/index.js';

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
  postgresqlRecovery,
  amcheck,
  sqliteWal,
  sqlitePageStructure,
  sqliteIntegrityCheck,
] as unknown as Check[];

export const FINDERS: EngineFinder[] = [postgresqlFinder, sqliteFinder];
