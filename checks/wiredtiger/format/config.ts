/** Configuration strings: `key=value,key=(key=value,...)`. Source: WiredTiger's reference guide, "Configuration Strings". */
import { FormatError } from '../../../src/errors.js';

/** The value of a key on the outermost level, without its parentheses or quotes; null when there is none. */
export function configValue(config: string, key: string): string | null {
  for (const [name, value] of configItems(config)) if (name === key) return value;
  return null;
}

/** Items of the outermost level in order. */
export function* configItems(config: string): Generator<[string, string]> {
  let start = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at <= config.length; at++) {
    const letter = config[at];
    if (letter === '"' && config[at - 1] !== '\\') quoted = !quoted;
    else if (!quoted && (letter === '(' || letter === '[')) depth++;
    else if (!quoted && (letter === ')' || letter === ']')) depth--;
    else if (letter === undefined || (letter === ',' && depth === 0 && !quoted)) {
      if (at > start) yield item(config.slice(start, at));
      start = at + 1;
    }
  }
}

function item(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) return [text, ''];
  const value = text.slice(equals + 1).replace(/\0+$/, '');
  return [text.slice(0, equals), /^(\(.*\)|".*")$/s.test(value) ? value.slice(1, -1) : value];
}

const UNITS: Record<string, number> = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2 };

/** `4KB`. @throws FormatError */
export function bytesOf(text: string): number {
  const match = /^(\d{1,9})(B|KB|MB)?$/.exec(text);
  if (!match) throw new FormatError({ code: 'wiredtiger.config', message: `${text.slice(0, 40)} is no size` });
  return Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
}

export interface FileConfig {
  unit: number;
  /** Of the newest checkpoint; null when there is none, or it is of an empty tree. */
  checkpoint: string | null;
  compressor: string;
  encrypted: boolean;
  logLsn: { file: number; offset: number } | null;
}

/** Of one `file:` entry of the metadata. @throws FormatError */
export function parseFileConfig(config: string): FileConfig {
  const unit = bytesOf(configValue(config, 'allocation_size') ?? '4KB');
  if (unit < 512 || unit > 128 * 1024 * 1024) throw new FormatError({ code: 'wiredtiger.config', message: `allocation in units of ${unit} bytes cannot be` });
  const lsn = /^(\d{1,10}),(\d{1,12})$/.exec(configValue(config, 'checkpoint_lsn') ?? '');
  const keyName = configValue(configValue(config, 'encryption') ?? '', 'name') ?? '';
  return {
    unit,
    checkpoint: newest(configValue(config, 'checkpoint') ?? ''),
    compressor: configValue(config, 'block_compressor') ?? '',
    encrypted: keyName !== '' && keyName !== 'none',
    logLsn: lsn ? { file: Number(lsn[1]), offset: Number(lsn[2]) } : null,
  };
}

/** Checkpoints are listed by name; the newest has the highest order. */
function newest(checkpoints: string): string | null {
  let best: { order: number; address: string } | null = null;
  for (const [, value] of configItems(checkpoints)) {
    const order = Number(configValue(value, 'order') ?? 0);
    if (!best || order > best.order) best = { order, address: configValue(value, 'addr') ?? '' };
  }
  return best && best.address !== '' ? best.address : null;
}
