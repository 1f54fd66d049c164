import type { Rule } from '../types.js';

export const HIPAA: Rule = {
  id: 'HIPAA',
  name: 'HIPAA security rule (US): contingency plan',
  source: {
    document: '45 CFR 164.308(a)(7), and the audit protocol of the Office for Civil Rights for it',
    address: 'https://www.ecfr.gov/current/title-45/section-164.308',
    readIn: 'the regulation as quoted in full by docs.tibco.com and others; the audit protocol as republished by compliancewiki.org',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: '164.308(a)(7)(ii)(A)',
      asks: 'Procedures create and maintain exact copies of electronic protected health information that can be retrieved.',
      facts: ['integrity', 'coverage'],
      notShown: 'Which of the data is health information, and that all of it is backed up.',
    },
    {
      clause: '164.308(a)(7)(ii)(B)',
      asks: 'Procedures restore any loss of data. The audit protocol asks for restore tests whose results are documented, reviewed and certified by management, and followed by corrective action where needed.',
      facts: ['restored', 'result', 'reviewed', 'corrected'],
      notShown: 'That the reviewer is the management that must certify it, and that the tests follow your written procedures.',
    },
    {
      clause: '164.308(a)(7)(ii)(D)',
      asks: 'Contingency plans are tested and revised periodically (addressable).',
      facts: ['repeated', 'dated'],
      notShown: 'The plans and their revisions.',
    },
  ],
};
