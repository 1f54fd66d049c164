/** The one rule of every byte source. @throws RangeError outside `0..sizeBytes`. */
export function assertInside(offset: number, length: number, sizeBytes: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!whole || offset < 0 || length < 0 || offset + length > sizeBytes) {
    throw new RangeError(`read of ${length} bytes at ${offset} is outside 0..${sizeBytes}`);
  }
}
