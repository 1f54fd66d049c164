/** From values to places in a drawing, and round numbers for the marks on an axis. */

export interface Scale {
  from: number;
  to: number;
  /** Place of a value. */
  at(value: number): number;
}

/** Linear; a range without extent is drawn in its middle. */
export function linear(from: number, to: number, start: number, end: number): Scale {
  const span = to - from;
  return { from, to, at: (value) => (span === 0 ? (start + end) / 2 : start + ((value - from) / span) * (end - start)) };
}

/** Round values from 0 to at least `most`, about so many: 0, 20, 40, 60. */
export function ticksUpTo(most: number, about = 3): number[] {
  if (!(most > 0) || !Number.isFinite(most)) return [0, 1];
  const step = roundStep(most / about);
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => tidy(index * step));
}

/** 1, 2 or 5 times a power of ten, not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = [1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10;
  return found * power;
}

function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** The same for seconds, where 60 and 3600 are round. */
export function timeTicksUpTo(most: number, about = 4): number[] {
  if (most <= 30) return ticksUpTo(most);
  const step = TIME_STEPS.find((one) => most / one <= about) ?? Math.ceil(most / about / 86400) * 86400;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** Seconds at which a clock is read: 0, 30, 60, ... up to `most`, at most so many. */
export function secondTicks(most: number, atMost = 5): number[] {
  const step = TIME_STEPS.find((one) => most / one <= atMost) ?? Math.ceil(most / atMost / 86400) * 86400;
  const count = Math.min(Math.floor(most / step + 1e-9), atMost);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** A number for an attribute of a drawing: short, and never what a drawing cannot hold. */
export function place(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 10) / 10 : 0;
}
