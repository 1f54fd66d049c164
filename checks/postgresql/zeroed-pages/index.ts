import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import type { PageExample } from '../pages/facts.js';
import { LOST_KINDS, type LostKind, type ZeroedFacts } from '../pages/zeroed-facts.js';
import { soundState } from '../state.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { count, countedFindings, DAMAGE_ADVICE, notJudged, notPostgres, trustedControl } from '../words.js';

const WHAT = 'pages that hold only zeroes';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/zeroed-pages',
  title: 'No page that held something is all zero',
  failureTitle: 'Pages that held something were overwritten with zeroes',
  description:
    'Zero pages are legal, and carry no checksum. Those that the log does not make anew are held against indexes, visibility maps and the log: what these point to was there.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notPostgres,
  collect: staticPass,
  evaluate: evaluateZeroed,
});

export function evaluateZeroed(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, WHAT);
  if ('judgement' in trusted) return trusted.judgement;
  const facts = evidence.zeroed;
  if (!facts) return notJudged(WHAT, 'they were not looked for');
  if (facts.unread) return notJudged(WHAT, facts.unread);
  const findings = LOST_KINDS.flatMap((kind) => lostFindings(kind, facts));
  const worst = findings[0];
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : harmless(facts),
    findings,
    ...(worst ? { advice: `${DAMAGE_ADVICE} Indexes can be built anew (REINDEX); rows that were in zeroed pages cannot.` } : {}),
    instanceState: worst ? 'damaged' : facts.leftOut > 0 ? 'unknown' : soundState(evidence.head),
    tested: [
      {
        what: WHAT,
        how: `${count(facts.pages, 'page')} against ${count(facts.indexes, 'index', 'indexes')}, ${count(facts.maps, 'visibility map')} and the log`,
      },
    ],
    untested: tooMany(facts),
  };
}

function harmless({ pages, relations }: ZeroedFacts): string {
  if (pages === 0) return 'No page in use is all zero.';
  return `Only zeroes are in ${count(pages, 'page')} of ${count(relations, 'relation')}, as an extension leaves them: nothing says that they ever held anything.`;
}

interface Words {
  code: string;
  message(place: string, by: PageExample): string;
}

const WORDS: Record<LostKind, Words> = {
  index: {
    code: 'zeroed.rows-lost',
    message: (place, { index, from }) => `${place} is all zero, although the index ${index} points to rows in it (in its block ${from}): they are lost`,
  },
  map: { code: 'zeroed.visible-rows-lost', message: (place) => `${place} is all zero, although the visibility map knows rows in it: they are lost` },
  link: { code: 'zeroed.index-page', message: (place, { from }) => `${place} is all zero, although block ${from} of the same index points to it` },
  log: {
    code: 'zeroed.changed-by-log',
    message: (place) => `${place} is all zero, although the log to be replayed changes it without making it: recovery stops there`,
  },
  first: {
    code: 'zeroed.first-page',
    message: (place) => `${place} is all zero: it describes an index or a sequence, of which nothing can be read without it`,
  },
};

function lostFindings(kind: LostKind, { lost }: ZeroedFacts): Finding[] {
  const { code, message } = WORDS[kind];
  return countedFindings(lost[kind], code, (example) => `${message(`Block ${example.block} of ${example.file}`, example)}.`);
}

function tooMany({ leftOut }: ZeroedFacts): UntestedItem[] {
  if (leftOut === 0) return [];
  return [{ what: `${count(leftOut, 'further page')} that hold only zeroes`, why: 'there are more than can be held in memory', holdsData: true }];
}
