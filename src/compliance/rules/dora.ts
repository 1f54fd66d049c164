import type { Rule } from '../types.js';

export const DORA: Rule = {
  id: 'DORA',
  name: 'DORA (EU): digital operational resilience of the financial sector',
  source: {
    document: 'Regulation (EU) 2022/2554, Article 12',
    address: 'http://data.europa.eu/eli/reg/2022/2554/oj',
    readIn: 'the text of Article 12 as republished, word for word alike, by dora-info.eu and cyberday.ai',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'Article 12(2)',
      asks: 'Backup, restoration and recovery procedures are tested periodically, and starting a backup endangers neither security nor data.',
      facts: ['restored', 'dated', 'result', 'repeated', 'separated'],
      notShown: 'That the period fits your own policy, and that the written procedures are the ones that were tested.',
    },
    {
      clause: 'Article 12(3)',
      asks: 'Data is restored on systems that are kept apart, physically and logically, from the system it comes from, and protected from unauthorised access.',
      facts: ['separated', 'set-up'],
      notShown: 'Where the host stands, who may use it, and that it shares nothing with the source.',
    },
    {
      clause: 'Article 12(6)',
      asks: 'Objectives for recovery time and recovery point are set for each function, and hold in extreme scenarios.',
      facts: ['time-objective', 'age-objective'],
      notShown: 'How the objectives were found, and that they hold in extreme scenarios: this test is of one restore point on one host.',
    },
    {
      clause: 'Article 12(7)',
      asks: 'When recovering from an incident, checks (several of them, and reconciliations) ensure the highest level of data integrity.',
      facts: ['integrity', 'reconciled', 'coverage'],
      notShown: 'That they are done again when a real incident is recovered from, and that data agrees with that of third parties.',
    },
  ],
};
