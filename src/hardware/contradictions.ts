/** Where what is known of a machine from several places does not agree. */
import { mainBlocks } from '../memory/index.js';
import type { Finding, Hardware } from '../types.js';
import type { MemoryFacts } from '../ways.js';
import type { Domain } from './domain.js';

const MIB = 2 ** 20;

/** What else describes the machine. `binding`: a restore would use it with this memory, so that it must agree. */
export interface Saying {
  who: string;
  binding: boolean;
  machineType: string | null;
  cpus: number | null;
  memoryMiB: number | null;
}

export function sayingsOf(manifest: Hardware | null, domain: Domain | null, ownDomain: boolean): Saying[] {
  const sayings: Saying[] = [];
  if (domain) {
    const who = ownDomain ? "libvirt's description in the saved memory" : "libvirt's description beside the disks";
    sayings.push({ who, binding: ownDomain, machineType: domain.machineType, cpus: domain.cpus, memoryMiB: domain.memoryMiB });
  }
  if (manifest) {
    const { machineType = null, cpus = null, memoryMiB = null } = manifest;
    sayings.push({ who: 'the manifest', binding: true, machineType, cpus, memoryMiB });
  }
  return sayings;
}

/** Held against the stream, which cannot be resumed on anything else. */
export function contradictions(facts: MemoryFacts, sayings: Saying[]): Finding[] {
  return sayings.flatMap((saying) => [...machineTypeFindings(facts, saying), ...sizeFindings(facts, saying)]);
}

function machineTypeFindings({ machineType }: MemoryFacts, saying: Saying): Finding[] {
  if (machineType === null || saying.machineType === null || isSameMachine(machineType, saying.machineType)) return [];
  return [finding(saying, 'machine-type', `the machine type ${JSON.stringify(saying.machineType.slice(0, 64))}`, JSON.stringify(machineType))];
}

/** `pc` and `q35` stand for any version of theirs. */
function isSameMachine(saved: string, said: string): boolean {
  if (saved === said) return true;
  if (said === 'q35') return saved.startsWith('pc-q35-');
  return said === 'pc' && /^pc-(i440fx-|\d)/.test(saved);
}

function sizeFindings(facts: MemoryFacts, saying: Saying): Finding[] {
  const findings: Finding[] = [];
  const cpus = facts.cpus.length;
  const ramMiB = facts.ramBytes / MIB;
  if (cpus > 0 && saying.cpus !== null && saying.cpus !== cpus) findings.push(finding(saying, 'cpus', `${saying.cpus} processors`, `${cpus}`));
  // Memory that was plugged in later is counted by some and not by others.
  const atStartMiB = mainBlocks(facts.blocks).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / MIB;
  if (ramMiB > 0 && saying.memoryMiB !== null && ![ramMiB, atStartMiB].includes(saying.memoryMiB)) {
    findings.push(finding(saying, 'memory-size', `${saying.memoryMiB} MiB of RAM`, `${ramMiB} MiB`));
  }
  return findings;
}

function finding({ who, binding }: Saying, code: string, said: string, saved: string): Finding {
  const message = `${who.charAt(0).toUpperCase()}${who.slice(1)} says ${said}, and the memory was saved with ${saved}: on other hardware it cannot be resumed.`;
  return { code: `hardware.${code}`, severity: binding ? 'critical' : 'warning', message, where: {} };
}
