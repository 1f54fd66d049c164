/**
 * Finds InnoDB instances (MariaDB, MySQL) by their files alone, wherever they lie: data directories, their parts on other disks,
 * and tablespaces without an instance.
 */
import type { EngineFinder } from '../../src/check.js';
import { askServer } from './engine/run.js';
import { describe, SMALL_FILES } from './find/describe.js';
import { findMarks } from './find/marks.js';
import { pairUp } from './find/pairing.js';
import { readSettings } from './find/settings.js';

/** A guest may be made to hold a data directory per folder; more than this many are no real server's. */
const MAX_INSTANCES = 10_000;

export const innodbFinder: EngineFinder = {
  engine: 'innodb',
  async find(tree) {
    const marks = findMarks(tree.entries());
    if (marks.system.size + marks.logs.size + marks.roots.size + marks.tables.length === 0) return [];
    const settings = await readSettings(tree.files, marks.configs);
    const drafts = (await pairUp(tree.files, marks, settings)).slice(0, MAX_INSTANCES);
    await tree.files.map(drafts.flatMap(({ location }) => SMALL_FILES.map((name) => ({ volume: location.volume, path: `${location.path}/${name}` }))));
    return Promise.all(drafts.map((draft) => describe(tree.files, draft, marks)));
  },
  ask: askServer,
};
