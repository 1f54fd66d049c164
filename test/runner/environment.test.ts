import { describe, expect, it } from 'vitest';
import { describeMachines } from '../../src/runner/environment.js';

const machine = { way: 'boot' as const, accelerator: 'tcg' as const, network: false };

describe('describeMachines', () => {
  it('says what the guests could reach', () => {
    expect(describeMachines([])).toBe('none was started');
    expect(describeMachines([machine])).toBe('1 started with software emulation, in the sandbox, on throw-away overlays, with no network');
    expect(describeMachines([machine, { ...machine, way: 'resume', accelerator: 'kvm', network: true }])).toBe(
      '2 started with software emulation and KVM, in the sandbox, on throw-away overlays, with a closed network whose only other party was snapproof (1 of 2)',
    );
  });
});
