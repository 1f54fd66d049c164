/** People who looked at it, and what they said. */
import type { SignOffDocument } from '../../documents.js';
import { badge } from './icons.js';
import { facts, nothing, when } from './parts.js';
import { html, type Markup } from './template.js';

export function signOffs(all: readonly SignOffDocument[], about: string): Markup {
  if (all.length === 0)
    return html`${nothing('Nobody has signed it off yet.')}<p class="note">Some rules ask for a person who has looked at it: <code>snapproof sign-off ${about} --reviewer NAME --note TEXT</code>.</p>`;
  return html`${all.map(one)}`;
}

function one({ reviewer, at, decision, note, ticket, correctiveAction, retest }: SignOffDocument): Markup {
  const accepted = decision === 'accepted';
  return html`<article class="card"><h3>${badge(accepted ? 'ok' : 'bad', decision)} ${reviewer}<span class="time">${when(at)}</span></h3>${facts([
    ['Note', note],
    ticket === null ? null : ['Ticket', ticket],
    correctiveAction === null ? null : ['Corrective action', correctiveAction],
    retest === null ? null : ['Test after it', html`<code>${retest}</code>`],
  ])}</article>
`;
}
