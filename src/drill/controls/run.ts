/** Verifies the controls by the very path that all restore points take, and says of each whether it came out as it has to. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlResult, Selection } from '../../documents.js';
import { LedgerError, SnapproofError } from '../../errors.js';
import { DEFAULT_POLICY } from '../../policy/index.js';
import { openWorkFolder, type WorkFolder } from '../../process/work-folder.js';
import { loadRestorePoints } from '../../sources/index.js';
import type { Policy, RestorePoint, VerificationRecord } from '../../types.js';
import { CONTROL_PREFIX } from '../history.js';
import type { VerifyItem } from '../item-run.js';
import { CONTROLS, type Control } from './make.js';

export interface ControlsRequest {
  drillId: string;
  /** Records of this drill from before it was interrupted. */
  before: VerificationRecord[];
  verify: VerifyItem;
  append: (record: VerificationRecord) => Promise<unknown>;
  artefactFolder: string;
  signal: AbortSignal;
  say: (line: string) => void;
}

/** Nothing of the guest runs: there is none. */
const POLICY: Policy = { ...DEFAULT_POLICY, depth: 'static' };
const SELECTION: Selection = { how: 'control', seed: null, population: CONTROLS.length, chosen: CONTROLS.length };

/** @throws LedgerError when a record cannot be stored, and what the signal was aborted with. */
export async function runControls(request: ControlsRequest): Promise<ControlResult[]> {
  const workFolder = await openWorkFolder();
  const results: ControlResult[] = [];
  try {
    for (const control of CONTROLS) {
      const result = await runControl(control, workFolder, request);
      request.say(`Control ${control.name}: ${result.why}`);
      results.push(result);
    }
    return results;
  } finally {
    await workFolder.close();
  }
}

async function runControl(control: Control, workFolder: WorkFolder, request: ControlsRequest): Promise<ControlResult> {
  const before = request.before.find(({ restorePoint }) => restorePoint.machine === `${CONTROL_PREFIX}${control.name}`);
  try {
    return judgeControl(control, before ?? (await verified(control, workFolder, request)));
  } catch (error) {
    request.signal.throwIfAborted();
    if (!(error instanceof SnapproofError) || error instanceof LedgerError) throw error;
    return {
      ...facts(control),
      recordId: null,
      verdict: null,
      rejected: false,
      why: `It could not be made or verified: ${error.message} ${error.advice}`.trim(),
    };
  }
}

async function verified(control: Control, workFolder: WorkFolder, request: ControlsRequest): Promise<VerificationRecord> {
  const { signal, artefactFolder } = request;
  const folder = join(workFolder.path, control.name);
  mkdirSync(folder);
  await control.make(folder, { workFolder, signal });
  const [found] = await loadRestorePoints([folder]);
  const restorePoint: RestorePoint = { ...(found as RestorePoint), machine: `${CONTROL_PREFIX}${control.name}`, takenAt: null };
  const drill = { id: request.drillId, selection: SELECTION };
  const record = await request.verify({ restorePoint, policy: POLICY, artefactFolder, drill }, signal, () => undefined);
  await request.append(record);
  return record;
}

/** Pure. */
export function judgeControl(control: Control, record: VerificationRecord): ControlResult {
  const result = { ...facts(control), recordId: record.id, verdict: record.verdict };
  if (control.expected === 'passed') return { ...result, rejected: record.verdict === 'failed', why: soundWords(record) };
  const codes = record.checks.filter(({ outcome }) => outcome === 'fail').flatMap(({ findings }) => findings.map(({ code }) => code));
  const own = codes.find((code) => control.codes.includes(code));
  if (record.verdict === 'failed' && own !== undefined) return { ...result, rejected: true, why: `it was rejected, by ${own}.` };
  const other = record.verdict === 'failed' ? `it failed, but not for its own damage (${[...new Set(codes)].slice(0, 5).join(', ')})` : `it ${record.verdict}`;
  return { ...result, rejected: false, why: `${other === 'it inconclusive' ? 'it was inconclusive' : other}, though it is damaged: ${control.damage}.` };
}

function soundWords({ verdict, reasons }: VerificationRecord): string {
  return verdict === 'passed' ? 'it passed, as it has to.' : `it is sound, and the verdict was ${verdict}: ${reasons[0] ?? ''}`;
}

function facts({ name, damage, expected }: Control): Pick<ControlResult, 'name' | 'damage' | 'expected'> {
  return { name, damage, expected };
}
