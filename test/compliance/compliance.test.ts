import { describe, expect, it } from 'vitest';
import { madeUpDossier, madeUpDrill } from '../../fixtures/reports/dossiers.js';
import { clausesShown, RULES, rulesNamed } from '../../src/compliance/index.js';
import type { FactId, Shown, Subject } from '../../src/compliance/types.js';
import { drillSubject } from '../../src/reporters/html/drill-page/index.js';
import { subjectOf } from '../../src/reporters/html/record/index.js';
import { passed } from '../reporters/records.js';

const NOTHING: Subject = { records: [], drill: null, signOffs: [], earlier: [], stored: false, signed: false };

function states(subject: Subject): Map<FactId, Shown> {
  return new Map(RULES.flatMap((rule) => clausesShown(rule, subject).flatMap(({ facts }) => facts.map(({ fact, state }) => [fact, state] as const))));
}

describe('rules', () => {
  it('say for each clause what it asks, what shows it, what no record shows; and where it was read', () => {
    for (const { id, source, clauses } of RULES) {
      expect(source.readOn, id).toMatch(/^2\d{3}-\d{2}-\d{2}$/);
      expect(source.address, id).toMatch(/^https?:\/\//);
      for (const text of [source.document, source.readIn]) expect(text.length, id).toBeGreaterThan(20);
      expect(clauses.length, id).toBeGreaterThan(0);
      for (const { clause, asks, facts, notShown } of clauses) {
        expect(asks, clause).toMatch(/^[A-Z].{30,}\.$/);
        expect(notShown, clause).toMatch(/^[A-Z].{20,}\.$/);
        expect(new Set(facts).size, clause).toBe(facts.length);
        expect(facts.length, clause).toBeGreaterThan(0);
      }
    }
  });
  it('are found by the names that people use', () => {
    const named = (name: string) => rulesNamed([name]).map(({ id }) => id);
    expect(['dora', 'NIS2', 'iso 27001', 'ISO/IEC 27001', 'nist', 'NIST 800-53', 'soc-2', 'hipaa', 'bsi'].flatMap(named)).toEqual([
      'DORA',
      'NIS2',
      'ISO27001',
      'ISO27001',
      'NIST800-53',
      'NIST800-53',
      'SOC2',
      'HIPAA',
      'BSI',
    ]);
  });
  it('that are not known are refused, and PCI DSS with the reason', () => {
    expect(() => rulesNamed(['GDPR'])).toThrow(/GDPR.*no rule/);
    expect(() => rulesNamed(['PCI DSS'])).toThrow(/No clause of PCI DSS was found/);
  });
});

describe('facts', () => {
  it('are missing where there is nothing', () => {
    for (const [fact, state] of states(NOTHING)) expect(state, fact).toBe('missing');
  });
  it('of one record that only recovered its databases are not those of a restored machine', () => {
    const found = states({ ...NOTHING, records: [passed], stored: true });
    expect(found.get('restored')).toBe('partly');
    expect(found.get('authentic')).toBe('partly');
    expect(found.get('repeated')).toBe('missing');
    expect(found.get('reviewed')).toBe('missing');
  });
  it('are shown by a record with both ways back, history, sign-off and signature', async () => {
    const found = states(subjectOf(await madeUpDossier()));
    for (const fact of ['restored', 'integrity', 'repeated', 'reviewed', 'authentic', 'dated'] as const) expect(found.get(fact), fact).toBe('shown');
    expect(found.get('corrected')).toBe('partly');
    expect(found.get('sampled')).toBe('missing');
  });
  it('of a drill count what it left out', () => {
    const found = states(drillSubject(madeUpDrill(60)));
    expect(found.get('sampled')).toBe('shown');
    expect(found.get('can-fail')).toBe('shown');
    expect(found.get('coverage')).toBe('partly');
    expect(found.get('repeated')).toBe('partly');
  });
  it('do not take a control that passed for proof', () => {
    const subject = drillSubject(madeUpDrill(5));
    const drill = subject.drill && { ...subject.drill, controls: subject.drill.controls.map((control) => ({ ...control, rejected: false })) };
    expect(states({ ...subject, drill }).get('can-fail')).toBe('missing');
  });
});
