/** SHA256SUMS against the files that are there: the same ones, each with its digest. */
import { FormatError } from '../../errors.js';
import { SEAL, SUMS } from './layout.js';

const LINE = /^([0-9a-f]{64}) {2}([A-Za-z0-9._/-]{1,100})$/;

export class Sums {
  private readonly files = new Map<string, string>();
  private expected: Map<string, string> | null = null;
  /** Digest of SHA256SUMS itself. */
  sha256 = '';

  get count(): number {
    return this.files.size;
  }

  found(name: string, sha256: string): void {
    if (name === SUMS) this.sha256 = sha256;
    else if (name !== SEAL) this.files.set(name, sha256);
  }

  /** Takes the text of SHA256SUMS. @throws FormatError */
  stated(text: string): void {
    this.expected = new Map();
    if (!text.endsWith('\n')) throw wrong('its last line has no end');
    for (const line of text.slice(0, -1).split('\n')) {
      const [, sha256, name] = LINE.exec(line) ?? [];
      if (sha256 === undefined || name === undefined || this.expected.has(name)) throw wrong(`a line of it is wrong: ${JSON.stringify(line.slice(0, 200))}`);
      this.expected.set(name, sha256);
    }
  }

  /** One sentence each. */
  *problems(): Generator<string> {
    if (!this.expected) yield `${SUMS} is missing.`;
    for (const [name, sha256] of this.expected ?? []) {
      const found = this.files.get(name);
      if (found === undefined) yield `${name} is missing.`;
      else if (found !== sha256) yield `${name} was changed: it does not have the digest that ${SUMS} states.`;
    }
    for (const name of this.files.keys()) if (this.expected && !this.expected.has(name)) yield `${name} is not in ${SUMS}: it was put in.`;
  }
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'archive.sums', message: `its ${SUMS} is wrong: ${why}` });
}
