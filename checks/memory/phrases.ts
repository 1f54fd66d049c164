/**
 * Finds any of several phrases in large buffers at several gigabytes a second: only every third word of four bytes is looked at.
 * A phrase of at least 15 bytes holds one of those words wholly, wherever it begins, so a table of all words of all phrases is a filter
 * that misses nothing; what passes it is compared byte by byte.
 */

const WORD_BYTES = 4;
const STRIDE_WORDS = 3;
const STRIDE_BYTES = STRIDE_WORDS * WORD_BYTES;
export const SHORTEST_PHRASE = STRIDE_BYTES + WORD_BYTES - 1;
const FILTER_BITS = 16;

interface Place {
  phrase: number;
  /** Of the word within the phrase. */
  offset: number;
}

export class PhraseFinder {
  private readonly phrases: Buffer[];
  private readonly filter = new Uint8Array(1 << FILTER_BITS);
  private readonly places = new Map<number, Place[]>();

  /** @throws RangeError when a phrase is shorter than 15 bytes */
  constructor(phrases: string[]) {
    this.phrases = phrases.map((phrase) => Buffer.from(phrase, 'latin1'));
    this.phrases.forEach((phrase, index) => {
      if (phrase.length < SHORTEST_PHRASE) throw new RangeError(`the phrase "${phrases[index]}" is shorter than ${SHORTEST_PHRASE} bytes`);
      for (let offset = 0; offset < STRIDE_BYTES; offset++) this.learn(phrase.readUInt32LE(offset), { phrase: index, offset });
    });
  }

  /** Calls `hit` for every phrase in the bytes. Their place in memory must be aligned to words; what is left over at the end is not looked at. */
  find(bytes: Buffer, hit: (phrase: number, at: number) => void): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const { filter } = this;
    for (let i = 0; i < words.length; i += STRIDE_WORDS) {
      const word = words[i] as number;
      if (filter[hash(word)] === 1) this.compare(bytes, word, i * WORD_BYTES, hit);
    }
  }

  private learn(word: number, place: Place): void {
    this.filter[hash(word)] = 1;
    const places = this.places.get(word);
    if (places) places.push(place);
    else this.places.set(word, [place]);
  }

  private compare(bytes: Buffer, word: number, at: number, hit: (phrase: number, at: number) => void): void {
    for (const { phrase, offset } of this.places.get(word) ?? []) {
      const text = this.phrases[phrase] as Buffer;
      const from = at - offset;
      if (from >= 0 && from + text.length <= bytes.length && text.equals(bytes.subarray(from, from + text.length))) hit(phrase, from);
    }
  }
}

function hash(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - FILTER_BITS);
}
