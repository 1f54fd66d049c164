/** Brings a machine back one way, watches it, and ends it. What both ways share. */
import type { CheckContext } from '../../src/check.js';
import { LabError, NotTestedError } from '../../src/errors.js';
import type { Way } from '../../src/ways.js';
import type { LifeOptions } from './decide/decide.js';
import { isTimerTrouble } from './decide/this-host.js';
import type { LifeEvidence } from './evidence.js';
import type { Patience, Plan } from './plan.js';
import { askNetworkOf } from './probes/network.js';
import { observe } from './procedure.js';
import { pictureReader } from './watch/picture.js';
import { Watch } from './watch/watch.js';

export interface WayOptions extends LifeOptions {
  /** Of time that the guest really had: how long a cold boot may take as long as something moves. */
  bootSeconds: number;
  /** From the power button to the end. */
  powerSeconds: number;
  /** For services, once the system is up. */
  serviceSeconds: number;
}

export const DEFAULT_OPTIONS: WayOptions = { powerButton: 'expected', patienceSeconds: 40, bootSeconds: 1800, powerSeconds: 120, serviceSeconds: 60 };

const seconds = (description: string) => ({ type: 'integer', minimum: 1, maximum: 86_400, description });

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    powerButton: {
      enum: ['expected', 'ignored'],
      description: 'ignored: this guest does nothing at the power button by design; a service that answers is enough. Default: expected.',
    },
    patienceSeconds: seconds('Without any answer, before the guest counts as hung. Default: 40.'),
    bootSeconds: seconds('How long a cold boot may take as long as something moves. Default: 1800.'),
    powerSeconds: seconds('From the power button to the end. Default: 120.'),
    serviceSeconds: seconds('For services, once the system is up. Default: 60.'),
  },
} as const;

export async function bringBack(way: Way, context: CheckContext<WayOptions>): Promise<LifeEvidence> {
  const obstacle = await context.labs.machine.obstacle(way);
  if (obstacle) throw new NotTestedError({ code: 'machine.obstacle', message: obstacle });
  const plan = await planOf(way, context);
  const evidence = await once(way, plan, context);
  return isTimerTrouble(evidence) ? once(way, plan, context) : evidence;
}

/** What is told before the machine starts. */
type KnownBefore = Omit<Plan, 'askNetwork' | 'asksServices'>;

async function once(way: Way, plan: KnownBefore, context: CheckContext<WayOptions>): Promise<LifeEvidence> {
  const { labs, signal } = context;
  const machine = await labs.machine.start(way, { network: true }, signal);
  try {
    const watch = new Watch(machine, (name, mediaType, bytes) => labs.keep(name, mediaType, bytes), signal, pictureReader(context));
    return await observe(watch, { ...plan, ...askNetworkOf(context, machine) });
  } catch (error) {
    throw signal.aborted ? error : withQemusWords(error, await endingOf(machine.ended));
  } finally {
    await machine.close();
  }
}

async function planOf(way: Way, context: CheckContext<WayOptions>): Promise<KnownBefore> {
  const { labs, options } = context;
  const cpus = way === 'resume' ? ((await labs.memory())?.facts.cpus ?? []) : [];
  const { bootEntriesMissing } = await labs.hardware(way);
  return {
    patience: patienceOf(options),
    encrypted: isEncrypted(context),
    systemRuns: cpus.some(({ registers }) => takesSystemCalls(registers)),
    mayHang: cpus.length > 1 && cpus.some(({ interruptsEnabled }) => !interruptsEnabled),
    // Only a hint: a processor that is switched off by its system looks the same.
    suspicious: cpus.length > 1 && cpus.some(({ halted, interruptsEnabled }) => halted && !interruptsEnabled),
    bootEntriesMissing,
  };
}

/** Where SYSCALL leads to (IA32_LSTAR; Intel SDM volume 3, 5.8.8): a reset clears it, and only a system with programs sets it. */
const takesSystemCalls = ({ lstar = '0x0' }: Record<string, string>): boolean => BigInt(lstar) !== 0n;

const WALL_FACTOR = 6;

function patienceOf({ patienceSeconds, bootSeconds, powerSeconds, serviceSeconds }: WayOptions): Patience {
  const [silenceMs, bootMs, powerMs, serviceMs] = [patienceSeconds, bootSeconds, powerSeconds, serviceSeconds].map((value) => value * 1000) as [
    number,
    number,
    number,
    number,
  ];
  return { silenceMs, bootMs, powerMs, serviceMs, wallMs: WALL_FACTOR * bootMs };
}

function isEncrypted({ inspection }: CheckContext<unknown>): boolean {
  return inspection.volumes.some(({ content }) => content.kind === 'encrypted');
}

/** When QEMU itself ended, its last words say why. */
async function endingOf(ended: Promise<{ stderr: string }>): Promise<string> {
  const result = await Promise.race([ended, new Promise<null>((resolve) => setTimeout(resolve, 500, null))]);
  return result?.stderr.trim().split('\n').at(-1) ?? '';
}

function withQemusWords(error: unknown, words: string): unknown {
  if (words === '' || !(error instanceof LabError)) return error;
  return new LabError({ code: error.code, message: `${error.message} QEMU ended and said: ${words}`, advice: error.advice, cause: error });
}
