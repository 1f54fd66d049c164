/** What is the same for all reports of one call. */
import type { Check } from '../../check.js';
import { RULES, rulesNamed } from '../../compliance/index.js';
import type { Setting } from '../../reporters/dossier.js';
import { VERSION } from '../../version.js';

export interface Library {
  checks: readonly Check[];
}

/** @param controls names of rules; none: all rules, in short. @throws UsageError */
export function settingOf({ checks }: Library, controls: readonly string[] = [], now = new Date()): Setting {
  const titles = new Map(checks.map(({ id, title, description }) => [id, { title, description }]));
  const rules = controls.length > 0 ? rulesNamed(controls) : RULES;
  return { checks: titles, rules, rulesInFull: controls.length > 0, writtenAt: now.toISOString(), version: VERSION };
}
