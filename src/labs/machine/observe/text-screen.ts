/**
 * The text of a VGA text mode. QEMU does not say in which mode the card is nor where the screen begins in its memory, and asking the
 * card would disturb the guest; but pixels and memory fit each other in one way only: blank cells where blank characters are.
 */
import { characterOf, isBlankCode } from './code-page.js';
import { isUniform, type Pixels } from './pixels.js';

/** The window at 0xB8000: a character and its colours, two bytes a cell. */
export const TEXT_WINDOW = { address: 0xb8000, lengthBytes: 0x8000 };

export interface TextScreen {
  columns: number;
  rows: number;
  /** Codes and colours of the visible cells. */
  cells: Buffer;
}

interface Grid {
  columns: number;
  rows: number;
  cellWidth: number;
  cellHeight: number;
}

/** Cells that may differ: the cursor, and what blinks. */
const TOLERATED = 0.02;
const FULL_BLOCK = 0xdb;

/** Sizes in which VGA shows text: cells of 8 or 9 by 8, 14 or 16 pixels. 640 x 480 is left out: it is a graphics mode nearly always. */
function gridsOf({ width, height }: Pixels): Grid[] {
  const grids: Grid[] = [];
  for (const cellWidth of [9, 8]) {
    for (const cellHeight of [16, 14, 8]) {
      const grid = { columns: width / cellWidth, rows: height / cellHeight, cellWidth, cellHeight };
      const known = [40, 80, 132].includes(grid.columns) && [25, 28, 30, 43, 50, 60].includes(grid.rows);
      if (known && !(width === 640 && height === 480)) grids.push(grid);
    }
  }
  return grids;
}

export function mayBeText(pixels: Pixels): boolean {
  return gridsOf(pixels).length > 0;
}

/** Null when no part of the memory fits the pixels: then this is no text mode. @param window the memory at 0xB8000 */
export function findText(pixels: Pixels, window: Buffer): TextScreen | null {
  let best: { misfits: number; screen: TextScreen } | null = null;
  for (const grid of gridsOf(pixels)) {
    const drawn = drawnCells(pixels, grid);
    const rowBytes = grid.columns * 2;
    for (let start = 0; start + grid.rows * rowBytes <= window.length; start += rowBytes) {
      const cells = window.subarray(start, start + grid.rows * rowBytes);
      const enough = best?.misfits ?? Math.floor(drawn.length * TOLERATED) + 1;
      const misfits = countMisfits(drawn, cells, enough);
      if (misfits < enough) best = { misfits, screen: { columns: grid.columns, rows: grid.rows, cells } };
    }
  }
  return best?.screen ?? null;
}

export function textOf({ columns, rows, cells }: TextScreen): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const codes = Array.from({ length: columns }, (_, column) => cells[(row * columns + column) * 2] ?? 0);
    return codes.map(characterOf).join('').trimEnd();
  });
  return lines.join('\n').trimEnd();
}

/** For each cell whether anything is drawn in it. */
function drawnCells(pixels: Pixels, { columns, rows, cellWidth, cellHeight }: Grid): boolean[] {
  return Array.from({ length: columns * rows }, (_, cell) => {
    const x = (cell % columns) * cellWidth;
    return !isUniform(pixels, x, Math.floor(cell / columns) * cellHeight, cellWidth, cellHeight);
  });
}

/** Counts no further than `enough`. */
function countMisfits(drawn: boolean[], cells: Buffer, enough: number): number {
  let misfits = 0;
  for (let cell = 0; cell < drawn.length && misfits < enough; cell++) if (drawn[cell] !== shows(cells[cell * 2] ?? 0, cells[cell * 2 + 1] ?? 0)) misfits++;
  return misfits;
}

/** Bit 7 of the colours is blinking or a bright background, by a register that is not known here. */
function shows(code: number, colours: number): boolean {
  const foreground = colours & 0x0f;
  const background = (colours >> 4) & 0x0f;
  return !isBlankCode(code) && code !== FULL_BLOCK && foreground !== background && foreground !== (background & 0x07);
}
