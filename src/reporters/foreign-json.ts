/** JSON that somebody else may have written: read field by field, with bounds; what has not the expected shape reads as nothing. */

export type Fields = Record<string, unknown>;

/** Null for what is no JSON or too long. */
export function parsedJson(bytes: Uint8Array | undefined, mostBytes: number): unknown {
  if (!bytes || bytes.length > mostBytes) return null;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return null;
  }
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list; anything else in it is left out. */
export function objectsOf(value: unknown): Fields[] {
  return listOf(value).flatMap((one) => fieldsOf(one) ?? []) as Fields[];
}

export function fieldsOf(value: unknown): Fields | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : null;
}

/** Never negative, and small enough to count with. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? clamped(value, 1e15) : 0;
}

export function clamped(value: number, most = Number.MAX_SAFE_INTEGER): number {
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), most) : 0;
}
