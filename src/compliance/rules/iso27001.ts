import type { Rule } from '../types.js';

export const ISO27001: Rule = {
  id: 'ISO27001',
  name: 'ISO/IEC 27001:2022, annex A',
  source: {
    document: 'ISO/IEC 27001:2022, annex A, controls 5.30 and 8.13',
    address: 'https://www.iso.org/standard/27001',
    readIn: 'the wording of both controls as quoted by controlstack.au and other public lists; the standard itself is not free and was not read',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'A.8.13',
      asks: 'Backup copies of information, software and systems are maintained and regularly tested, as the policy on backup says.',
      facts: ['restored', 'integrity', 'repeated', 'result', 'coverage'],
      notShown: 'The policy on backup, and that copies are kept as it says.',
    },
    {
      clause: 'A.5.30',
      asks: 'The readiness of information technology for business continuity is planned, maintained and tested against its objectives.',
      facts: ['time-objective', 'age-objective', 'dated', 'reviewed'],
      notShown: 'The plans and objectives themselves, and everything beside backups that continuity needs.',
    },
  ],
};
