/** Times in names of folders and files, as backup programs write them. */

/**
 * `2026-11-20T01:02:03Z`, `20261120-010203`, `2026_11_20-01_02_03` (Proxmox), `2026-11-20 0102`, `2026-11-20`. Without a zone it is the host's.
 * Without groups, so that it can stand in other patterns.
 */
export const INSTANT_PATTERN = String.raw`\d{4}[-_.]?\d{2}[-_.]?\d{2}(?:[T_\-. ]?\d{2}[-_:.h]?\d{2}(?:[-_:.m]?\d{2})?(?:\.\d{1,6})?(?:Z|[+-]\d{2}:?\d{2})?)?`;

const PARTS = /^(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?:[T_\-. ]?(\d{2})[-_:.h]?(\d{2})(?:[-_:.m]?(\d{2}))?(?:\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** ISO 8601 in UTC; null for what is no instant. */
export function parseInstant(text: string): string | null {
  const match = PARTS.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return null;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  const zone = match[7];
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second).toISOString();
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second) - offsetMs(zone)).toISOString();
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
