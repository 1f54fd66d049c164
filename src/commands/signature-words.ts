/** What was found of signatures, in words. */
import { type KeyState, type SignatureReport, shortKeyId, type TimestampReport } from '../evidence/index.js';
import { visible } from '../reporters/escape.js';
import { wrap } from '../reporters/text.js';
import { count } from '../reporters/units.js';

const MOST_SHOWN = 50;

export function signatureLines({ signed, unsigned, signatures, keys, problems }: SignatureReport, width: number): string[] {
  if (signatures === 0 && problems.length === 0) return wrap('No document is signed. "snapproof keys init" makes a key.', { width });
  const counted = `${count(signed, 'document is', 'documents are')} signed with keys that count here; ${unsigned === 0 ? 'none is' : `${unsigned} ${unsigned === 1 ? 'is' : 'are'}`} unsigned.`;
  const hint = unsigned === 0 ? '' : ' "snapproof attest" signs what is unsigned.';
  const shown = problems.slice(0, MOST_SHOWN).flatMap(({ message }) => wrap(visible(message), { width, first: '  signature  ' }));
  const more = problems.length > MOST_SHOWN ? [`  and ${problems.length - MOST_SHOWN} more (--json lists them)`] : [];
  return [...wrap(counted + hint, { width }), ...keys.map(keyLine), ...shown, ...more];
}

function keyLine({ keyId, standing, addedSeq, endSeq }: KeyState): string {
  return `  key ${shortKeyId(keyId)}  ${standing}, entries ${addedSeq} to ${endSeq ?? 'now'}`;
}

export function timestampLines({ count: found, verified, lastSeq, problems }: TimestampReport, width: number): string[] {
  if (found === 0) return [];
  const reach = lastSeq === null ? '' : `, the last of them about entry ${lastSeq}`;
  const unproven = verified < found ? ' Name the certificates of the authority with --tsa-ca to verify their tokens.' : ' Their tokens verify.';
  const shown = problems.slice(0, MOST_SHOWN).flatMap((message) => wrap(visible(message), { width, first: '  time stamp ' }));
  return [...wrap(`There ${found === 1 ? 'is 1 time stamp' : `are ${found} time stamps`}${reach}.${problems.length > 0 ? '' : unproven}`, { width }), ...shown];
}
