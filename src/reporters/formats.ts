/** Every format that a report can have. */

import { renderCsv } from './csv.js';
import type { Dossier, Setting } from './dossier.js';
import { renderDrillText } from './drill-text.js';
import { renderDrillPage } from './html/drill-page/index.js';
import { renderRecordPage } from './html/record/index.js';
import { renderJsonLines } from './json-lines.js';
import { renderJunit } from './junit/index.js';
import { renderMarkdownReport } from './markdown-report.js';
import { renderRecord } from './terminal.js';

export const FORMATS = ['text', 'html', 'junit', 'markdown', 'csv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

export const EXTENSIONS: Record<Format, string> = { text: 'txt', html: 'html', junit: 'xml', markdown: 'md', csv: 'csv', jsonl: 'jsonl' };

export interface Terminal {
  color: boolean;
  width?: number;
}

/** Ends with a line feed. Strings of a guest are made harmless in the way of the format. */
export function render(dossier: Dossier, format: Format, setting: Setting, terminal: Terminal = { color: false }): string {
  const renderers: Record<Format, () => string> = {
    text: () => text(dossier, terminal),
    html: () => (dossier.kind === 'drill' ? renderDrillPage(dossier, setting) : renderRecordPage(dossier, setting)),
    junit: () => renderJunit(dossier),
    markdown: () => renderMarkdownReport(dossier, setting),
    csv: () => renderCsv(dossier),
    jsonl: () => renderJsonLines(dossier),
  };
  return renderers[format]();
}

function text(dossier: Dossier, terminal: Terminal): string {
  return dossier.kind === 'drill' ? renderDrillText(dossier, terminal) : renderRecord(dossier.document, terminal);
}

/** By the end of a file's name; null when it tells nothing. */
export function formatOfFile(name: string): Format | null {
  return FORMATS.find((format) => name.toLowerCase().endsWith(`.${EXTENSIONS[format]}`)) ?? (/\.htm$/i.test(name) ? 'html' : null);
}
