/** Shows a README of our own on a terminal: headings, paragraphs, lists, quotes, code and tables, without the marks that only a browser needs. */
import type { ChalkInstance } from 'chalk';
import { visibleLines } from './escape.js';
import { table, wrap } from './text.js';

interface Style {
  width: number;
  paint: ChalkInstance;
}

/** Lines are gathered to blocks until one of another kind begins. */
interface Block {
  kind: 'paragraph' | 'item' | 'code' | 'table' | 'heading';
  /** Before the first line of an item. */
  mark: string;
  lines: string[];
}

export function renderMarkdown(markdown: string, style: Style): string {
  const blocks = toBlocks(visibleLines(markdown).replaceAll('\t', '    ').split('\n'));
  const parts = blocks.map((block, index) => {
    const tight = index === 0 || (block.kind === 'item' && blocks[index - 1]?.kind === 'item');
    return `${tight ? '' : '\n'}${renderBlock(block, style).join('\n')}`;
  });
  return parts.join('\n');
}

function toBlocks(lines: string[]): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  let fenced = false;
  for (const line of lines) {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      open = fenced ? { kind: 'code', mark: '', lines: [] } : null;
      if (open) blocks.push(open);
      continue;
    }
    const next: Block | null = fenced ? open : continued(open, line);
    if (next && next !== open) blocks.push(next);
    open = next;
    if (open) open.lines.push(open.kind === 'code' ? line : content(line));
  }
  return blocks;
}

/** The block this line belongs to: the open one, a new one, or none for a blank line. */
function continued(open: Block | null, line: string): Block | null {
  const item = /^(\s*)([-*+]|\d+[.)]) /.exec(line);
  if (line.trim() === '') return null;
  if (/^#{1,6} /.test(line)) return { kind: 'heading', mark: '', lines: [] };
  if (item) return { kind: 'item', mark: `${item[1]}${/\d/.test(item[2] ?? '') ? item[2] : '-'} `, lines: [] };
  if (line.startsWith('|')) return open?.kind === 'table' ? open : { kind: 'table', mark: '', lines: [] };
  if (open && (open.kind === 'paragraph' || open.kind === 'item')) return open;
  return { kind: 'paragraph', mark: '', lines: [] };
}

function content(line: string): string {
  return line
    .replace(/^#{1,6} +/, '')
    .replace(/^\s*([-*+]|\d+[.)]) +/, '')
    .replace(/^> ?/, '')
    .trim();
}

function renderBlock({ kind, mark, lines }: Block, { width, paint }: Style): string[] {
  if (kind === 'code') return lines.map((line) => `    ${line}`);
  if (kind === 'heading') return lines.map((line) => paint.bold(inline(line)));
  if (kind === 'table') return renderTable(lines);
  return wrap(inline(lines.join(' ')), { width, first: mark });
}

function renderTable(lines: string[]): string[] {
  const rows = lines.map((line) =>
    line
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => inline(cell.trim().replaceAll('\\|', '|'))),
  );
  return table(rows.filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)))).map((line) => `  ${line}`);
}

/** Links keep their address where it is one; emphasis and code lose their marks. */
function inline(text: string): string {
  return text
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, '$1 ($2)')
    .replace(/\[([^\]]+)\]\([^)\s]+\)/g, '$1')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/`([^`]+)`/g, '$1');
}
