/** Every check and every engine finder there is. A new one is listed here and nowhere else. */
import type { Check, EngineFinder } from '../src/check.js';
import filesystemConsistency from './filesystem/consistency/index.js';
import stateAtCapture from './filesystem/state-at-capture/index.js';
import imageCompleteness from './image/completeness/index.js';
import imageStructure from './image/structure/index.js';
import { postgresqlFinder } from './postgresql/find.js';
import { sqliteFinder } from './sqlite/finder.js';
import sqliteIntegrityCheck from './sqlite/integrity-check/index.js';
import sqlitePageStructure from './sqlite/page-structure/index.js';
import sqliteWal from './sqlite/wal/index.js';
import partitionTable from './volume/partition-table/index.js';

/** In the order in which they are listed and, within a stage, run. */
export const CHECKS = [
  imageCompleteness,
  imageStructure,
  partitionTable,
  stateAtCapture,
  filesystemConsistency,
  sqliteWal,
  sqlitePageStructure,
  sqliteIntegrityCheck,
] as unknown as Check[];

export const FINDERS: EngineFinder[] = [postgresqlFinder, sqliteFinder];
