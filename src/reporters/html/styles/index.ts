/** The one style sheet of a report, and its digest for the content security policy. */
import { createHash } from 'node:crypto';
import { BASE } from './base.js';
import { DRAWINGS } from './drawings.js';
import { PARTS } from './parts.js';
import { PRINT } from './print.js';
import { TABLES } from './tables.js';
import { TOKENS } from './tokens.js';

export const STYLE = [TOKENS, BASE, PARTS, TABLES, DRAWINGS, PRINT].join('');

/** As a content security policy names it (CSP level 3, section 2.3.1). */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE, 'utf8').digest('base64')}`;
