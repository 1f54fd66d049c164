import type { Rule } from '../types.js';

export const SOC2: Rule = {
  id: 'SOC2',
  name: 'SOC 2: trust services criteria for availability',
  source: {
    document: 'AICPA TSP section 100, 2017 Trust Services Criteria, criteria A1.2 and A1.3 with their points of focus',
    address: 'https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022',
    readIn: 'the criteria and points of focus as quoted, with page numbers, in public texts; compliancewiki.org for what auditors inspect',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'A1.2',
      asks: 'Backup processes and recovery infrastructure are operated and monitored so that the objectives are met.',
      facts: ['repeated', 'result', 'age-objective'],
      notShown: 'Environmental protection, and the operation of the backups themselves: only what they produced is looked at.',
    },
    {
      clause: 'A1.3',
      asks: 'The procedures of the recovery plan are tested. Point of focus: integrity and completeness of backups are tested periodically; auditors inspect the most recent restore.',
      facts: ['restored', 'integrity', 'coverage', 'dated', 'repeated', 'result'],
      notShown: 'Scenarios with missing people, and that plans were revised after the test.',
    },
  ],
};
