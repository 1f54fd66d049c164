/** The pieces that pages are put together from. */
import { formatInstant } from '../units.js';
import { html, InnerAddress, type Markup, NOTHING, safeId, type Value } from './template.js';

/** A part of a page with a heading; `id` is where the contents lead. */
export interface Part {
  id: string;
  title: string;
  body: Markup;
}

/** Null when there is nothing to say: then neither page nor contents has it. */
export function part(title: string, body: Value): Part | null {
  const markup = html`${body}`;
  return markup.text.trim() === '' ? null : { id: safeId(title.toLowerCase()), title, body: markup };
}

export function renderPart({ id, title, body }: Part): Markup {
  return html`<section class="part" id="${id}" aria-labelledby="${id}-h"><h2 id="${id}-h">${title}</h2>
${body}</section>
`;
}

export function contents(parts: readonly Part[]): Markup {
  const list = html`<ol>${parts.map(({ id, title }) => html`<li><a href="${InnerAddress.of(id)}">${title}</a></li>`)}</ol>`;
  return html`<nav class="contents wide" aria-labelledby="contents-h"><h2 id="contents-h">Contents</h2>${list}</nav>
<nav class="contents narrow" aria-label="Contents"><details><summary>Contents</summary>${list}</details></nav>
`;
}

export interface Figure {
  name: string;
  value: Value;
  aside?: Value;
}

/** The numbers that matter, large. */
export function figures(list: readonly (Figure | null)[]): Markup {
  return html`<dl class="figures">${list.map((one) => one && html`<div><dt>${one.name}</dt><dd>${one.value}${one.aside ? html`<small>${one.aside}</small>` : NOTHING}</dd></div>\n`)}</dl>`;
}

/** Names and values, one below the other. */
export function facts(list: readonly (readonly [string, Value] | null)[]): Markup {
  return html`<dl class="facts">${list.map((fact) => fact && html`<div><dt>${fact[0]}</dt><dd>${fact[1]}</dd></div>\n`)}</dl>`;
}

export interface Column {
  name: string;
  /** Numbers stand to the right. */
  number?: boolean;
  /** A drawing that repeats a number: left out on a phone. */
  picture?: boolean;
}

/** The first cell of a row is its heading. On a phone rows become blocks; roles keep what the change of display would take away. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Value[])[]): Markup {
  const head = columns.map((column) => html`<th role="columnheader" scope="col" class="${classOf(column)}">${column.name}</th>`);
  return html`<table class="stacked" role="table"><caption class="unseen">${caption}</caption><thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map((value, index) => cell(value, columns[index] ?? { name: '' }, index === 0))}</tr>\n`)}</tbody></table>
`;
}

function cell(value: Value, column: Column, first: boolean): Markup {
  if (first) return html`<th role="rowheader" scope="row" class="${classOf(column)}">${value}</th>`;
  return html`<td role="cell" class="${classOf(column)}" data-label="${column.name}">${value}</td>`;
}

const classOf = ({ number, picture }: Column): string => (number ? 'number' : picture ? 'picture' : 'text');

export function hash(digest: string): Markup {
  return html`<code class="hash">${digest}</code>`;
}

/** An instant as people read it. */
export function when(instant: string | null): Value {
  if (instant === null) return 'not known';
  const told = formatInstant(instant);
  return told === instant ? instant : html`<span class="instant">${told}</span>`;
}

/** A name with slashes may be broken behind each of them, and nowhere else. */
export function pathLike(text: string): Markup {
  return html`<code>${text.split('/').map((step, index) => (index === 0 ? step : html`/<wbr>${step}`))}</code>`;
}

/** A list that is cut, and says so. */
export function listed<T>(items: readonly T[], most: number, render: (item: T) => Value, where = 'in the record'): Value {
  const more = items.length - most;
  return [...items.slice(0, most).map(render), more > 0 ? html`<li class="note">and ${more} more, ${where}</li>` : null];
}

export function nothing(text: string): Markup {
  return html`<p class="empty">${text}</p>`;
}

/** `file base/5/2619, block 12`; empty when there is no place. */
export function placeOf(where: Record<string, string | number>): string {
  return Object.entries(where)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
