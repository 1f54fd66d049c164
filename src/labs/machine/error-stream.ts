/**
 * QEMU's standard error: what it says of itself, and the lines of the one trace event that is switched on, which are counted and
 * not kept. A guest may cause endlessly many of both.
 */
import { HeadTail } from './head-tail.js';

/** Logged by hw/input/ps2.c whenever the guest sets the lights of its keyboard. */
export const LIGHTS_EVENT = 'ps2_set_ledstate';
/** `ps2_set_ledstate 0x559b2c3bc770 ledstate 4`; before it, depending on QEMU's options, a process number and a time. */
const LIGHTS_LINE = /^(?:\d+@\d+\.\d+:)?ps2_set_ledstate \S+ ledstate (\d+)$/;

const KEPT_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 4096;

export class ErrorStream {
  private readonly kept = new HeadTail(KEPT_BYTES);
  private line = '';
  private lights: string | null = null;
  /** How often the guest set its lights to something else than before. The first time says what they were. */
  lightChanges = 0;

  /** All but the trace. */
  text(): string {
    return this.kept.text() + this.line;
  }

  add(chunk: Buffer): void {
    const lines = (this.line + chunk.toString('latin1')).split('\n');
    this.line = (lines.pop() ?? '').slice(0, MAX_LINE_BYTES);
    for (const line of lines) this.take(line);
  }

  private take(line: string): void {
    const state = LIGHTS_LINE.exec(line)?.[1];
    if (state === undefined) this.kept.add(Buffer.from(`${line}\n`, 'latin1'));
    else if (state !== this.lights) {
      this.lightChanges++;
      this.lights = state;
    }
  }
}
