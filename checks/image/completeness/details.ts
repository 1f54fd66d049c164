/** Findings from the format-specific facts of a layer. */
import type { Finding, ImageLayer, Severity } from '../../../src/types.js';

interface Rule {
  applies(layer: ImageLayer): boolean;
  code: string;
  severity: Severity;
  /** Follows the path of the file. */
  says(layer: ImageLayer): string;
}

const RULES: Rule[] = [
  {
    applies: (layer) => layer.details.corrupt === true,
    code: 'image.marked-corrupt',
    severity: 'critical',
    says: () => 'carries the mark "corrupt", which qemu sets when it meets damaged tables: guest data are lost or mixed up.',
  },
  {
    applies: (layer) => layer.format === 'vpc' && layer.details.footerAtEnd === false,
    code: 'image.footer-missing',
    severity: 'critical',
    says: () => 'lacks the footer at its end: the file is cut off or was still being written.',
  },
  {
    applies: (layer) => layer.format === 'vpc' && layer.details.copyAtStart === false,
    code: 'image.footer-copy',
    severity: 'warning',
    says: () => 'lacks the copy of the footer at its start; the one at its end is intact.',
  },
  {
    applies: (layer) => layer.details.dirty === true,
    code: 'image.dirty',
    severity: 'warning',
    says: () => 'was not closed before it was copied: its reference counts are behind and are rebuilt when it is opened for writing. Data are not harmed.',
  },
  {
    applies: (layer) => layer.details.logInUse === true,
    code: 'image.log-in-use',
    severity: 'warning',
    says: () => 'was copied while its own log held changes: they are replayed when it is opened for writing.',
  },
  {
    applies: (layer) => layer.details.uncleanShutdown === true,
    code: 'image.unclean',
    severity: 'warning',
    says: () => 'was not closed before it was copied.',
  },
  {
    applies: (layer) => layer.details.wholeSectors === false,
    code: 'image.odd-length',
    severity: 'warning',
    says: (layer) => `is ${layer.sizeBytes} bytes long, which is no whole number of sectors: it may be cut off.`,
  },
  {
    applies: (layer) => layer.format === 'raw' && layer.details.looksLike !== undefined,
    code: 'image.raw-with-magic',
    severity: 'warning',
    says: (layer) =>
      `is stated to be raw and is taken so, but begins like ${layer.details.looksLike}: either the statement is wrong, or the guest wrote that itself.`,
  },
];

export function judgeDetails(layer: ImageLayer): Finding[] {
  return RULES.filter((rule) => rule.applies(layer)).map(({ code, severity, says }) => ({
    code,
    severity,
    message: `${layer.path} ${says(layer)}`,
    where: { file: layer.path },
  }));
}
