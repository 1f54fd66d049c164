/** How the values of a chart are read. */

import { formatBytes, formatSeconds } from '../units.js';
import { timeTicksUpTo } from './scale.js';

export interface Unit {
  /** Of one value in a sentence or a table: `3 min 20 s`. */
  say(value: number): string;
  /** Of a mark on an axis, whose highest mark is `most`. */
  tick(value: number, most: number): string;
  /** Round values from 0 to at least `most`; default: 1, 2 or 5 times a power of ten. */
  ticks?(most: number): number[];
}

const plain = (value: number): string => Number(value.toPrecision(3)).toString();

export const SECONDS: Unit = {
  say: formatSeconds,
  tick: (value, most) => (value === 0 ? '0' : most < 180 ? `${plain(value)} s` : most < 7200 ? `${plain(value / 60)} min` : `${plain(value / 3600)} h`),
  ticks: timeTicksUpTo,
};

export const BYTES: Unit = { say: formatBytes, tick: (value) => (value === 0 ? '0' : formatBytes(value)) };

export const BYTES_PER_SECOND: Unit = { say: (value) => `${formatBytes(value)}/s`, tick: (value) => (value === 0 ? '0' : `${formatBytes(value)}/s`) };

export const PERCENT: Unit = { say: (value) => `${value < 10 ? plain(value) : Math.round(value)} %`, tick: (value) => `${plain(value)} %` };

export const NUMBER: Unit = { say: plain, tick: plain };
