import type { Rule } from '../types.js';

export const NIST: Rule = {
  id: 'NIST800-53',
  name: 'NIST SP 800-53, revision 5: contingency planning',
  source: {
    document: 'NIST Special Publication 800-53, revision 5, controls CP-4, CP-9 and CP-10',
    address: 'https://doi.org/10.6028/NIST.SP.800-53r5',
    readIn: 'the control texts and their discussions in public copies of the catalogue (csf.tools and others)',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'CP-4',
      asks: 'The contingency plan is tested at a defined frequency; results are reviewed, and corrective action is begun where needed.',
      facts: ['repeated', 'result', 'reviewed', 'corrected'],
      notShown: 'The contingency plan, and all of it that is not about backups.',
    },
    {
      clause: 'CP-9(1)',
      asks: 'Backup information is tested at a defined frequency for the reliability of its media and the integrity of the information.',
      facts: ['integrity', 'reconciled', 'repeated', 'can-fail'],
      notShown: 'Media that were not read in this test, such as tapes and off-site copies.',
    },
    {
      clause: 'CP-9(2)',
      asks: 'A sample of backup information is used to restore selected functions, as part of testing the plan.',
      facts: ['restored', 'sampled'],
      notShown: 'That the sample is large enough for the assurance you need.',
    },
    {
      clause: 'CP-10',
      asks: 'Systems are recovered and reconstituted to a known state within a defined time.',
      facts: ['restored', 'time-objective', 'authentic'],
      notShown: 'The recovery of production itself: this is a test beside it.',
    },
  ],
};
