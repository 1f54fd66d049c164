/** From what replay and checker printed to a judgement. Pure: works on saved evidence too. */
import type { CaptureState, Finding, Judgement, RecoveryEffort } from '../../../src/types.js';
import { judgeBtrfsCheck } from './judges/btrfs.js';
import { judgeE2fsck } from './judges/ext.js';
import { judgeFsckExfat, judgeFsckFat } from './judges/fat.js';
import { type CheckerJudgement, judgement } from './judges/judgement.js';
import { judgeNtfs } from './judges/ntfs.js';
import { judgeXfsRepair } from './judges/xfs.js';

export interface ConsistencyEvidence {
  volume: string;
  type: string;
  captured: CaptureState | null;
  /** Mounting for replay; null where the log cannot be replayed here, or there is none. */
  replay: { mounted: boolean; seconds: number; text: string } | null;
  /** What the kernel said meanwhile. */
  kernel: string;
  /** Texts by tool. */
  tools: Record<string, string>;
}

/** Words of the kernel for damage it met while mounting, replaying or unmounting. */
const KERNEL_DAMAGE =
  /EXT[234]-fs error|EXT[234]-fs .*(corrupt|bad (block|header|magic)|no journal found)|JBD2: .*(checksum error|corrupt|bad |invalid|failed)|Metadata (corruption|CRC error)|Corruption (warning|detected|of in-memory)|log mount\/recovery failed|failed to locate log tail|BTRFS (error|critical)|BTRFS warning .*checksum verify failed|I\/O error, dev /i;
const MAX_FINDINGS = 5;

export function judgeConsistency(evidence: ConsistencyEvidence): Judgement {
  const { volume, type, replay } = evidence;
  const checker = judgeChecker(evidence);
  const kernel = evidence.kernel.split('\n').filter((line) => KERNEL_DAMAGE.test(line));
  const name = `the ${type} on ${volume}`;
  const recovery = recoveryOf(evidence);
  if (replay && !replay.mounted)
    return failure(evidence, `${name} cannot be mounted: ${lastWords(evidence)}`, mountFindings(evidence, kernel, checker), recovery);
  if (checker.result === 'damaged')
    return failure(evidence, `${name} is damaged: ${checker.why} (${checker.problems[0] ?? ''})`, problemFindings(evidence, checker, kernel), recovery);
  if (kernel.length > 0)
    return failure(
      evidence,
      `${name} is damaged: the kernel met errors while it replayed the log (${plain(kernel[0] ?? '')})`,
      kernelFindings(evidence, kernel),
      recovery,
    );
  return success(evidence, checker, recovery);
}

function judgeChecker({ type, tools, captured }: ConsistencyEvidence): CheckerJudgement {
  const text = (tool: string) => tools[tool] ?? '';
  switch (type) {
    case 'ext2':
    case 'ext3':
    case 'ext4':
      return judgeE2fsck(text('e2fsck'));
    case 'xfs':
      return judgeXfsRepair(text('xfs_repair'));
    case 'btrfs':
      return judgeBtrfsCheck(text('btrfs check'));
    case 'fat':
      return judgeFsckFat(text('fsck.fat'));
    case 'exfat':
      return judgeFsckExfat(text('fsck.exfat'));
    case 'ntfs':
      return judgeNtfs({ ntfsfix: text('ntfsfix'), ntfsinfo: text('ntfsinfo'), walk: tools.walk ?? null, replayPending: captured?.state !== 'clean' });
    default:
      return judgement('not-judged', `there is no checker for ${type}`);
  }
}

function success(evidence: ConsistencyEvidence, checker: CheckerJudgement, recovery: RecoveryEffort): Judgement {
  const { volume, type, replay } = evidence;
  const judged = checker.result === 'sound';
  const how = `${replay ? 'mounted on the overlay (log replayed), unmounted, then ' : ''}${Object.keys(evidence.tools).join(', ')}`;
  const replayed = recovery.needed && replay ? `its log was replayed in ${replay.seconds.toFixed(2)} s, and ` : '';
  return {
    outcome: 'pass',
    summary: judged
      ? `the ${type} on ${volume} is whole: ${replayed}${checker.why}`
      : `the structure of the ${type} on ${volume} could not be judged: ${checker.why}`,
    findings: remarkFindings(evidence, checker),
    recovery,
    tested: judged ? [{ what: `structure of ${type} on ${volume}`, how }] : [],
    untested: judged ? [] : [{ what: `structure of ${type} on ${volume}`, why: checker.why, holdsData: true }],
  };
}

function failure(evidence: ConsistencyEvidence, summary: string, findings: Finding[], recovery: RecoveryEffort): Judgement {
  const { volume, type } = evidence;
  return {
    outcome: 'fail',
    summary,
    findings,
    advice:
      'Do not restore from this point without need: files on this volume may be lost or wrong. Use an older restore point, and check the running machine and the backup job for the cause.',
    consistency: { level: 'none', why: summary },
    recovery,
    tested: [{ what: `structure of ${type} on ${volume}`, how: Object.keys(evidence.tools).join(', ') }],
    untested: [],
  };
}

/** Bytes are what the log held; they are reported by `filesystem/state-at-capture`, so that they count once. */
function recoveryOf({ captured, replay }: ConsistencyEvidence): RecoveryEffort {
  const needed = captured?.state === 'needs-replay';
  return { needed, seconds: needed && replay ? replay.seconds : needed ? null : 0, bytes: 0 };
}

function mountFindings(evidence: ConsistencyEvidence, kernel: string[], checker: CheckerJudgement): Finding[] {
  const message = `the ${evidence.type} on ${evidence.volume} cannot be mounted, so its log cannot be replayed: ${lastWords(evidence)}`;
  const mount: Finding = { code: 'filesystem.mount', severity: 'critical', message, where: { volume: evidence.volume } };
  return [mount, ...kernelFindings(evidence, kernel), ...problemFindings(evidence, checker, [])];
}

function kernelFindings(evidence: ConsistencyEvidence, lines: string[]): Finding[] {
  return lines.slice(0, MAX_FINDINGS).map((line) => {
    const message = `while the ${evidence.type} on ${evidence.volume} was mounted, the kernel said: ${plain(line)}`;
    return { code: 'filesystem.kernel', severity: 'critical', message, where: { volume: evidence.volume } };
  });
}

function problemFindings(evidence: ConsistencyEvidence, checker: CheckerJudgement, kernel: string[]): Finding[] {
  const problems = checker.problems.slice(0, MAX_FINDINGS).map((problem): Finding => {
    return { code: 'filesystem.structure', severity: 'critical', message: `on ${evidence.volume}: ${plain(problem)}`, where: { volume: evidence.volume } };
  });
  return [...problems, ...kernelFindings(evidence, kernel)];
}

function remarkFindings(evidence: ConsistencyEvidence, checker: CheckerJudgement): Finding[] {
  const healed = checker.result === 'sound' && checker.remarks.some((line) => /checksum verify failed|bad tree block/.test(line));
  return checker.remarks.slice(0, MAX_FINDINGS).map((remark) => ({
    code: 'filesystem.remark',
    severity: healed || checker.result === 'not-judged' ? 'warning' : 'info',
    message: `on ${evidence.volume}: ${plain(remark)}`,
    where: { volume: evidence.volume },
  }));
}

/** The last line of the kernel says most; else what mount said. */
function lastWords({ kernel, replay }: ConsistencyEvidence): string {
  const line = kernel.split('\n').filter(Boolean).at(-1) ?? replay?.text.split('\n')[0] ?? '';
  return plain(line) || 'no reason was given';
}

/** Without the kernel's time stamp and without control characters. */
function plain(line: string): string {
  return line
    .replace(/^\[ *[\d.]+\] */, '')
    .replace(/[\u0000-\u001f\u007f]/g, '?')
    .slice(0, 300);
}
