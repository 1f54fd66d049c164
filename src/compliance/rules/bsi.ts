import type { Rule } from '../types.js';

export const BSI: Rule = {
  id: 'BSI',
  name: 'BSI IT-Grundschutz (Germany): module CON.3, backup',
  source: {
    document: 'BSI, IT-Grundschutz-Kompendium, Baustein CON.3 Datensicherungskonzept; formerly M 6.37 Dokumentation der Datensicherung',
    address: 'https://www.bsi.bund.de/grundschutz',
    readIn: 'the requirements CON.3.A1 to A15 in a public transcription, M 6.37 in content published for verinice',
    readOn: '2026-11-27',
  },
  clauses: [
    {
      clause: 'CON.3.A15',
      asks: 'It is tested regularly whether backups work as wished, above all whether data can be restored without fault and in reasonable time.',
      facts: ['restored', 'integrity', 'time-objective', 'repeated'],
      notShown: 'What a reasonable time is, unless a drill states an objective.',
    },
    {
      clause: 'CON.3.A4',
      asks: 'Backup plans describe for each system what is backed up, how it is restored, which parameters are chosen and which hardware and software is used.',
      facts: ['coverage', 'set-up'],
      notShown: 'The plan itself: a record says what was found and used, not what was planned.',
    },
    {
      clause: 'CON.3.A14',
      asks: 'Backups are protected from being overwritten, on purpose or not, and from unauthorised access.',
      facts: ['separated', 'authentic'],
      notShown: 'The protection of the place where backups are kept. Shown is only that this test did not write to them.',
    },
    {
      clause: 'M 6.37 (until 2018)',
      asks: 'For each system are documented: date and extent of the backup, media, hardware and software with versions, and parameters.',
      facts: ['dated', 'set-up', 'coverage'],
      notShown: 'The hardware and software that made the backup, unless its restore-point.json says so.',
    },
  ],
};
