/** What of a record or a drill serves which clause of which rule. */
import { UsageError } from '../errors.js';
import { factOf } from './facts.js';
import { BSI } from './rules/bsi.js';
import { DORA } from './rules/dora.js';
import { HIPAA } from './rules/hipaa.js';
import { ISO27001 } from './rules/iso27001.js';
import { NIS2 } from './rules/nis2.js';
import { NIST } from './rules/nist.js';
import { SOC2 } from './rules/soc2.js';
import type { ClauseShown, Rule, Subject } from './types.js';

/** No clause of PCI DSS was found that asks for a test of restoring; so none is claimed. */
export const RULES: readonly Rule[] = [DORA, NIS2, ISO27001, SOC2, NIST, HIPAA, BSI];

/** Each clause of a rule, with what the subject shows of it. */
export function clausesShown(rule: Rule, subject: Subject): ClauseShown[] {
  return rule.clauses.map(({ facts, ...clause }) => ({ ...clause, facts: facts.map((fact) => factOf(fact, subject)) }));
}

/** By names as people write them: `dora`, `NIST`, `iso 27001`. @throws UsageError */
export function rulesNamed(names: readonly string[]): Rule[] {
  return names.map((name) => {
    const wanted = plain(name);
    const found = RULES.find(({ id }) => plain(id) === wanted) ?? RULES.find(({ id }) => wanted.length >= 3 && plain(id).startsWith(wanted));
    if (found) return found;
    const pci = wanted.startsWith('PCI') ? ' No clause of PCI DSS was found that asks for a test of restoring, so none is claimed.' : '';
    const known = RULES.map(({ id }) => id).join(', ');
    throw new UsageError({ code: 'usage.controls', message: `"${name}" is no rule that is known here.${pci}`, advice: `Known are: ${known}.` });
  });
}

function plain(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/^ISO(IEC)?(?=27001)/, 'ISO');
}
