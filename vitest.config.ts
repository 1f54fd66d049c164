import { defineConfig } from 'vitest/config';

interface Tier {
  name: string;
  include: string[];
  exclude?: string[];
  testTimeout: number;
  /** Files at a time; default: as many as there are processors. */
  maxWorkers?: number;
}

/** Tests of one file that wait beside each other, each with a guest of its own. */
const MOST_BESIDE = 3;

/** Each is run by itself, in this order. */
const tier = ({ name, include, exclude = [], testTimeout, maxWorkers }: Tier, groupOrder: number) => ({
  test: {
    ...{ name, include, exclude: ['**/node_modules/**', '**/dist/**', ...exclude], testTimeout, hookTimeout: testTimeout },
    ...{ sequence: { groupOrder }, maxConcurrency: MOST_BESIDE, ...(maxWorkers && { maxWorkers }) },
  },
});

/** Three tiers: unit (seconds), lab (needs the appliance or host tools; an appliance takes a processor), machine (boots guests, whose time is measured). */
const TIERS: Tier[] = [
  { name: 'unit', include: ['test/**/*.test.ts', 'checks/**/*.test.ts'], exclude: ['**/*.lab.test.ts', '**/*.machine.test.ts'], testTimeout: 20_000 },
  { name: 'lab', include: ['test/**/*.lab.test.ts', 'checks/**/*.lab.test.ts'], testTimeout: 600_000, maxWorkers: 2 },
  { name: 'machine', include: ['test/**/*.machine.test.ts', 'checks/**/*.machine.test.ts'], testTimeout: 1_800_000, maxWorkers: 1 },
];

export default defineConfig({ test: { projects: TIERS.map(tier) } });
