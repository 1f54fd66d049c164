/** What is the same for all reports of one call. */
import type { Check } from '../../check.js';
import type { Rule } from '../../compliance/types.js';
import type { Setting } from '../../reporters/dossier.js';
import { VERSION } from '../../version.js';

export interface Library {
  checks: readonly Check[];
}

export function settingOf({ checks }: Library, rules: readonly Rule[], now = new Date()): Setting {
  const titles = new Map(checks.map(({ id, title, description }) => [id, { title, description }]));
  return { checks: titles, rules, writtenAt: now.toISOString(), version: VERSION };
}
