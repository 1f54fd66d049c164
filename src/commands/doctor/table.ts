/** The doctor's table for a terminal or a pipe: plain text. */
import type { Component } from './component.js';

/** Why a component stands as it does, in one word. */
export function stateOf(item: Component): 'ok' | 'missing' | 'unusable' | 'not used' {
  if (item.usable) return 'ok';
  if (!item.required) return 'not used';
  return item.present ? 'unusable' : 'missing';
}

export function formatTable(components: Component[]): string {
  const head = ['component', 'version', 'state', 'needed for', 'notes'];
  const rows = components.map((item) => [item.name, item.version || '-', stateOf(item), item.neededFor, item.why]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((row) => `${line(row)}\n`).join('');
}
