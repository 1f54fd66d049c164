/** What the checks of one hive share: hive and logs are read once, nothing of the guest runs. */
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import type { DatabaseInstance } from '../../src/types.js';
import { mapCells } from './cells.js';
import { type Applied, type EffectiveHive, type LogFacts, loadHive } from './effective.js';
import { WELL_KNOWN } from './finder.js';
import type { BaseBlock } from './format/base-block.js';
import { type TreeFacts, TreeWalk } from './tree.js';

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  path: string;
  volume: string;
  /** Windows keeps logs beside it and loads it by itself. */
  wellKnown: boolean;
  sizeBytes: number | null;
  base: BaseBlock | null;
  baseFromLog: boolean;
  dirty: boolean;
  logs: LogFacts[];
  applied: Applied | null;
  missingBytes: number;
  /** Null: it was not walked, because it is too large, of an unknown version, or has no base block. */
  tree: (TreeFacts & { bins: number; cells: number; binsBytes: number; allocatedBytes: number }) | null;
  problems: ProblemReport;
}

/** Of the writer: Windows NT 4 to 11. */
export function isKnownVersion({ major, minor }: BaseBlock): boolean {
  return major === 1 && minor >= 2 && minor <= 6;
}

export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`registry ${instance.id}`, () => readHive(instance, context));
}

async function readHive(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  const { path, volume } = instance.location;
  const evidence: StaticEvidence = {
    ...{ path, volume, wellKnown: WELL_KNOWN.test(path), sizeBytes: null, base: null, baseFromLog: false, dirty: true },
    ...{ logs: [], applied: null, missingBytes: 0, tree: null, problems: { counts: {}, examples: [] } },
  };
  const locations = [instance.location, ...instance.links.flatMap(({ location }) => location ?? [])];
  const maps = await context.labs.files.map(locations);
  const sources = maps.map((map) => (map ? new MappedSource(map) : null));
  const [primary, ...logs] = sources;
  try {
    if (!primary) return evidence;
    const opened = logs.flatMap((source, i) => (source ? [{ path: locations[i + 1]?.path ?? '', source }] : []));
    const hive = await loadHive(primary, opened);
    context.progress({ stage: 'static', what: path, doneBytes: primary.sizeBytes, totalBytes: primary.sizeBytes });
    const { bins, ...facts } = hive;
    return { ...evidence, ...facts, sizeBytes: primary.sizeBytes, ...walk(hive, bins, path) };
  } finally {
    await Promise.all(sources.map((source) => source?.close()));
  }
}

function walk({ base }: EffectiveHive, bins: Buffer | null, file: string): Pick<StaticEvidence, 'tree' | 'problems'> {
  const problems = new Problems();
  if (!bins || !base || !isKnownVersion(base)) return { tree: null, problems: problems.report() };
  const cells = mapCells(bins, problems, file);
  const tree = new TreeWalk(bins, cells, base.minor, problems, file);
  tree.walk(base.rootCell);
  const facts = { ...tree.facts, bins: cells.bins, cells: cells.cells, binsBytes: bins.length, allocatedBytes: cells.allocatedBytes };
  return { tree: facts, problems: problems.report() };
}
