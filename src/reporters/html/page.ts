/**
 * A whole document: one file that needs nothing else. No script, no address that leads out of it, images inside; a content security policy
 * says so to the browser, so that even a mistake of ours could load and run nothing.
 */
import { formatInstant } from '../units.js';
import { contents, type Part, renderPart } from './parts.js';
import { STYLE, STYLE_HASH } from './styles/index.js';
import { html, Markup } from './template.js';

export interface Page {
  /** `Verification record`, `Drill`. */
  kind: string;
  /** Of the document in the ledger. */
  id: string;
  title: string;
  /** Below the title. */
  lede: Markup;
  /** Verdict and figures. */
  top: Markup;
  parts: (Part | null)[];
  writtenAt: string;
  version: string;
}

/** Only constants of ours stand here: none of it is a value. */
const HEAD = new Markup(`<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<style>${STYLE}</style>`);

export function renderPage({ kind, id, title, lede, top, parts, writtenAt, version }: Page): string {
  const shown = parts.filter((part) => part !== null);
  return html`<!DOCTYPE html>
<html lang="en">
<head>
${HEAD}
<title>${title}: ${kind.toLowerCase()}, snapproof</title>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header class="masthead"><p><strong>snapproof</strong> ${kind}</p><p><code>${id}</code></p></header>
<div class="sheet">
${contents(shown)}
<main id="main">
<h1>${title}</h1>
<p class="lede">${lede}</p>
${top}
${shown.map(renderPart)}
<footer><p>Written by snapproof ${version} on ${formatInstant(writtenAt)}. This page repeats what the ledger holds; the ledger is what counts.</p></footer>
</main>
</div>
</body>
</html>
`.text;
}
