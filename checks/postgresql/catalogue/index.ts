import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { soundState } from '../state.js';
import { clusterCatalogue, type StaticEvidence } from '../static-pass.js';
import { count, countedFindings, notJudged, notPostgres, trustedControl } from '../words.js';
import type { CatalogueFacts, ShortFile } from './facts.js';

const WHAT = 'the files that the catalogue names';
const ADVICE = 'Restore an earlier restore point. If files were left out by rule (by size, name or disk), mend the rule; else check the storage.';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/catalogue',
  title: 'Every table, index and sequence of the catalogue has its files, and they are as long as what is in them',
  failureTitle: 'Files that the catalogue names are missing or cut short',
  description:
    'Reads pg_database and pg_class of every database without a server, and holds them against the files; the log to be replayed decides what it makes and removes.',
  timeoutMs: 3_600_000,
  skipReason: notPostgres,
  collect: clusterCatalogue,
  evaluate: evaluateCatalogue,
});

export function evaluateCatalogue(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, WHAT);
  if ('judgement' in trusted) return trusted.judgement;
  const facts = evidence.catalogue;
  if (!facts) return notJudged(WHAT, 'it was not read');
  if (facts.unread) return notJudged(WHAT, facts.unread);
  const findings = [...damage(facts), ...doubts(facts)];
  const worst = findings.find((item) => item.severity === 'critical');
  const untested = untestedOf(facts);
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : whole(facts),
    findings,
    ...(worst ? { advice: ADVICE } : {}),
    instanceState: worst ? 'damaged' : untested.some((item) => item.holdsData) ? 'unknown' : soundState(evidence.head),
    tested: [{ what: WHAT, how: `pg_class of ${count(facts.databases, 'database')}: ${count(facts.relations, 'relation')} against files and log` }],
    untested,
  };
}

function whole({ relations, databases, remade, perhapsShort }: CatalogueFacts): string {
  const all = `${count(relations, 'relation')} of ${count(databases, 'database')}`;
  const doubtful = remade.count + perhapsShort.count;
  if (doubtful === 0) return `All ${all} have their files.`;
  return `${all} were held against the files; of ${count(doubtful, 'relation')} nothing tells whether its file is whole.`;
}

function damage(facts: CatalogueFacts): Finding[] {
  const { missing, short, missingDatabases, damagedMaps } = facts;
  return [
    ...countedFindings(
      missingDatabases,
      'catalogue.database-missing',
      ({ database, folder }) => `The folder ${folder} of database ${database} is missing or empty.`,
    ),
    ...countedFindings(
      damagedMaps,
      'catalogue.map-damaged',
      (file) => `${file} is missing or damaged: without it no table of its database can be found.`,
      (file) => ({ file }),
    ),
    ...countedFindings(
      missing,
      'catalogue.file-missing',
      ({ file, relation, database }) => `${file} is missing: it is ${relation}${of(database)}, and nothing in the log makes it anew.`,
    ),
    ...countedFindings(short, 'catalogue.file-short', shortMessage),
  ];
}

function shortMessage({ file, relation, database, blocks, needed, by }: ShortFile): string {
  return `${file} (${relation}${of(database)}) ends after ${count(blocks, 'block')}, although ${by} knows at least ${needed}.`;
}

const of = (database: string): string => (database ? ` of database ${database}` : '');

/** What may be normal, and what cannot be told from it. */
function doubts({ remade, perhapsShort, missingLinks }: CatalogueFacts): Finding[] {
  const warnings = [
    ...countedFindings(
      remade,
      'catalogue.file-remade',
      ({ file, relation, database }) => `${file} (${relation}${of(database)}) is missing; the log holds as many of its blocks as the catalogue counts.`,
    ),
    ...countedFindings(perhapsShort, 'catalogue.file-perhaps-short', shortMessage),
    ...countedFindings(
      missingLinks,
      'catalogue.tablespace-link',
      (oid) => `pg_tblspc/${oid} is missing: the tablespace is lost, with what was in it.`,
      (oid) => ({ oid }),
    ),
  ];
  return warnings.map((item) => ({ ...item, severity: 'warning' }));
}

function untestedOf(facts: CatalogueFacts): UntestedItem[] {
  const { skipped, remade, perhapsShort, damagedPages, elsewhere, undecidedRows } = facts;
  const items: UntestedItem[] = skipped.examples.map(({ database, why, holdsData }) => ({
    what: database ? `the files of database ${database}` : 'the files of all databases',
    why,
    holdsData,
  }));
  if (remade.count > 0)
    items.push({ what: count(remade.count, 'missing file'), why: 'the log makes them anew, but nothing tells whether wholly', holdsData: true });
  if (perhapsShort.count > 0) {
    const why = 'the catalogue once counted more blocks: they were cut off, or a VACUUM was interrupted after it had shortened the file';
    items.push({ what: `the end of ${count(perhapsShort.count, 'relation')}`, why, holdsData: true });
  }
  if (undecidedRows > 0)
    items.push({ what: count(undecidedRows, 'row of catalogues', 'rows of catalogues'), why: 'nothing tells whether they are in force', holdsData: true });
  if (damagedPages > 0)
    items.push({
      what: count(damagedPages, 'page of catalogues', 'pages of catalogues'),
      why: 'torn or damaged: the check of pages says which',
      holdsData: false,
    });
  if (elsewhere > 0)
    items.push({
      what: `the files of ${count(elsewhere, 'relation')}`,
      why: 'their tablespace is not in the restore point, or an extension keeps them',
      holdsData: true,
    });
  return items;
}
