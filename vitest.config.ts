import { defineConfig } from 'vitest/config';

/** Three tiers: unit (seconds), lab (needs the appliance or host tools), machine (boots guests). */
const tier = (name: string, include: string[], exclude: string[], testTimeout: number) => ({
  test: { name, include, exclude: ['**/node_modules/**', '**/dist/**', ...exclude], testTimeout, hookTimeout: testTimeout, fileParallelism: name === 'unit' },
});

export default defineConfig({
  test: {
    projects: [
      tier('unit', ['test/**/*.test.ts', 'checks/**/*.test.ts'], ['**/*.lab.test.ts', '**/*.machine.test.ts'], 20_000),
      tier('lab', ['test/**/*.lab.test.ts', 'checks/**/*.lab.test.ts'], [], 600_000),
      tier('machine', ['test/**/*.machine.test.ts', 'checks/**/*.machine.test.ts'], [], 1_800_000),
    ],
  },
});
