import type { Rule } from '../types.js';

export const NIS2: Rule = {
  id: 'NIS2',
  name: 'NIS2 (EU): measures of Implementing Regulation (EU) 2024/2690',
  source: {
    document: 'Commission Implementing Regulation (EU) 2024/2690, annex, point 4.2 (for Article 21(2)(c) of Directive (EU) 2022/2555)',
    address: 'http://data.europa.eu/eli/reg_impl/2024/2690/oj',
    readIn: 'the points 4.2.2 to 4.2.6 as republished by nis2-umsetzung.com (draft) and in a public mapping that quotes the final text',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'Annex 4.2.2(a)',
      asks: 'Backup plans state recovery times.',
      facts: ['time-objective'],
      notShown: 'The backup plan itself.',
    },
    {
      clause: 'Annex 4.2.2(b)',
      asks: 'Backup plans assure that copies are complete and accurate, configuration included.',
      facts: ['integrity', 'coverage'],
      notShown: 'Data that was never part of this backup, such as what lies in cloud services.',
    },
    {
      clause: 'Annex 4.2.3',
      asks: 'The integrity of backup copies is checked regularly.',
      facts: ['integrity', 'repeated'],
      notShown: 'That what is regular in the ledger is what your policy calls regular.',
    },
    {
      clause: 'Annex 4.2.6',
      asks: 'Recovery of backup copies is tested regularly, so that it can be relied on; results are documented and, where needed, corrected.',
      facts: ['restored', 'repeated', 'result', 'corrected', 'reviewed'],
      notShown: 'That people know how to do it: the tests here need no one. Redundancies are not tested here either.',
    },
  ],
};
