import type { Finding, Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import type { StreamEvidence } from './evidence.js';

const DAMAGED = 'Look whether the copy or upload was interrupted and fetch the file again, or take a new backup. The disks may still be started without it.';
const FOREIGN =
  'Find out which memory belongs to these disks, and which hardware to both: a machine can only be resumed on the hardware and with the disks that it was saved with.';
/** States in which QEMU holds a machine that cannot run on. */
const STOPPED = new Set(['guest-panicked', 'internal-error', 'io-error', 'shutdown', 'watchdog', 'save-vm-failed', 'postmigrate-failed']);
const MIB = 2 ** 20;

/** Pure: also of evidence that was saved. */
export function evaluate(evidence: StreamEvidence): Judgement {
  const findings = [...evidence.findings, ...evidence.contradictions, ...runStateFindings(evidence)];
  const broken = firstCritical(evidence.findings);
  const foreign = firstCritical(evidence.contradictions);
  const worst = broken ?? foreign;
  if (worst) return { outcome: 'fail', summary: worst.message, findings, advice: broken ? DAMAGED : FOREIGN, ...coverage(evidence) };
  // Never a pass by silence: what is not whole must have said why.
  if (!evidence.complete) return { outcome: 'fail', summary: `${evidence.path} is not whole.`, findings, advice: DAMAGED, ...coverage(evidence) };
  return { outcome: 'pass', summary: whole(evidence), findings, ...coverage(evidence) };
}

function whole({ machineType, cpus, ramBytes, devices }: StreamEvidence): string {
  const machine = `${machineType ?? 'a machine of unknown type'}, ${count(cpus, 'processor')}, ${Math.round(ramBytes / MIB)} MiB of RAM, ${count(devices, 'device state')}`;
  return `The saved memory is whole (${machine}) and agrees with what else is known of the machine.`;
}

function runStateFindings({ runState, path }: StreamEvidence): Finding[] {
  if (runState === null || !STOPPED.has(runState)) return [];
  const message = `When its memory was saved, QEMU had stopped the machine (${runState}): resumed, it will not run on by itself.`;
  return [{ code: 'memory.run-state', severity: 'warning', message, where: { file: path } }];
}

function firstCritical(findings: Finding[]): Finding | undefined {
  return findings.find(({ severity }) => severity === 'critical');
}

function coverage({ path, why }: StreamEvidence): Pick<Judgement, 'tested' | 'untested'> {
  return {
    tested: [{ what: `the saved memory ${path}`, how: `followed from its first byte to its end as ${why}; its machine compared with the other descriptions` }],
    untested: [
      { what: `the content of the RAM pages in ${path}`, why: 'QEMU saves them without checksums: a changed byte in a page shows nowhere', holdsData: false },
    ],
  };
}
