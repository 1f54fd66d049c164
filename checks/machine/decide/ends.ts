/** Named ends: it panicked, restarts, waits for somebody, or never left its firmware or loader. Pure. */
import { atLeast, type Decision, failed, inconclusive, quoted, reachedKernel, type Scene, said, shows } from './scene.js';
import { activityOf } from './signals.js';

export function panickedByEvent({ evidence }: Scene): Decision | null {
  if (!evidence.events.some(({ event }) => event === 'GUEST_PANICKED' || event === 'GUEST_CRASHLOADED')) return null;
  return failed('panicked', 'The operating system reported that it had panicked.');
}

const LOOP_RESTARTS = 3;

export function restartsForEver({ restarts }: Scene): Decision | null {
  return restarts >= LOOP_RESTARTS ? failed('boot-loop', `It restarted itself ${restarts} times and never came to its work.`) : null;
}

/** A resumed machine goes on where it was. One that starts anew had died, or was just restarting when it was saved. */
export function continuedByRestarting(scene: Scene): Decision | null {
  if (scene.evidence.way !== 'resume' || scene.restarts === 0) return null;
  const panic = said(scene, 'panic');
  if (panic) return failed('panicked', `It restarted instead of going on, and ${quoted(panic)}.`);
  return inconclusive('unknown', 'It restarted by itself instead of going on from where it was saved.');
}

export function waitsForSecret(scene: Scene): Decision | null {
  const { evidence } = scene;
  if (evidence.prompt?.meaning !== 'passphrase' || said(scene, 'panic', true)) return null;
  const disk = evidence.encrypted ? ' and its disks hold an encrypted volume' : '';
  return inconclusive('needs-passphrase', `It waits for a passphrase: ${quoted(evidence.prompt)}${disk}. Nothing is known to be wrong.`);
}

/** Also such a shell may shut down in order. Only who comes to a login or a service after all did not end in it. */
export function startsInEmergency(scene: Scene): Decision | null {
  return scene.evidence.way === 'boot' && !said(scene, 'login') ? emergency(scene) : null;
}

export function emergency(scene: Scene): Decision | null {
  const text = said(scene, 'emergency', scene.evidence.way === 'boot');
  if (!text || scene.evidence.probes.some(({ kind, answered, proves }) => kind === 'service' && answered && proves === 'user-space')) return null;
  return failed('emergency-shell', `It stands in an emergency shell instead of doing its work: ${quoted(text)}.`);
}

export function panickedByText(scene: Scene): Decision | null {
  const text = said(scene, 'panic');
  if (!text || atLeast(scene.proof, 'user-space') || scene.proof === 'kernel') return null;
  return failed('panicked', `It answers nothing, and ${quoted(text)}.`);
}

export function noBootDevice(scene: Scene): Decision | null {
  const text = shows(scene, 'no-boot-device');
  if (!text || reachedKernel(scene.evidence) || atLeast(scene.proof, 'user-space')) return null;
  if (scene.evidence.bootEntriesMissing) {
    return inconclusive(
      'no-boot-device',
      `Its firmware had a list of its own of what to start, which is not in the restore point, and finds nothing without it: ${quoted(text)}.`,
    );
  }
  return failed('no-boot-device', `The firmware finds nothing to start: ${quoted(text)}.`);
}

export function loaderFailed(scene: Scene): Decision | null {
  const text = shows(scene, 'loader-failed');
  if (!text || reachedKernel(scene.evidence) || atLeast(scene.proof, 'user-space')) return null;
  return failed('stuck-in-loader', `The boot loader does not come further: ${quoted(text)}.`);
}

export function stuckInLoader(scene: Scene): Decision | null {
  const { activity, options } = scene;
  if (reachedKernel(scene.evidence) || atLeast(scene.proof, 'user-space')) return null;
  if (activity.hadMs < options.patienceSeconds * 1000 || worksSinceTouched(scene)) return null;
  const text = shows(scene, 'loader');
  return text ? failed('stuck-in-loader', `It never left the boot loader: ${quoted(text)}.`) : null;
}

/** A loader that waits reads nothing. A system that never says a word leaves the loader's text on the screen, but uses its disks. */
function worksSinceTouched({ evidence: { looks, probes } }: Scene): boolean {
  const [first] = probes;
  return first !== undefined && activityOf(looks.filter(({ wallMs }) => wallMs >= first.wallMs)).diskRequests > 0;
}
