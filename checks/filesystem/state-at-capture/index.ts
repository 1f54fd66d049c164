/** In which state a file system was captured: read from its own bytes before anything replays its log. */
import { defineCheck } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import { judgeState, type StateEvidence } from './judge.js';

export default defineCheck<StateEvidence, Record<string, never>>({
  id: 'filesystem/state-at-capture',
  title: 'Every file system was captured clean, frozen, or with a log that can be replayed',
  failureTitle: 'A file system was already damaged when it was captured',
  description:
    'Reads the superblock and the log of a file system as captured, and says whether it was unmounted, frozen or in use, and how much must be replayed.',
  stage: 'volume',
  depth: 'static',
  targetKind: 'volume',
  lab: 'none',
  timeoutMs: 60_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},

  skipReason(target) {
    if (target.kind !== 'volume' || target.volume.content.kind !== 'filesystem') return 'the volume holds no file system';
    if (target.volume.captureState) return null;
    const reason = target.volume.placement ? 'keeps no state that can be read from outside' : 'has no plain place on the disks';
    return `the ${target.volume.content.type} on ${target.id} ${reason}`;
  },

  async collect(target) {
    const volume = target.kind === 'volume' ? target.volume : null;
    if (volume?.content.kind !== 'filesystem' || !volume.captureState) {
      throw new LabError({ code: 'filesystem.state.unread', message: `the state of ${target.id} at capture was not read` });
    }
    return { volume: volume.id, type: volume.content.type, captured: volume.captureState };
  },

  evaluate: judgeState,
});
