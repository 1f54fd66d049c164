/** Looks at a running machine again and again, reads its consoles, keeps its screens: what all probes share. */
import type { Machine } from '../../../src/labs/lab.js';
import type { Artefact, BootStage, Look } from '../../../src/ways.js';
import { hadBetween } from '../decide/signals.js';
import { lastPrompt, recognise } from '../decide/texts.js';
import type { Recognised, TextMeaning } from '../evidence.js';
import type { ReadPicture } from './picture.js';

export type Keep = (name: string, mediaType: string, bytes: Uint8Array) => Promise<Artefact>;

const PAUSE_MS = 250;
/** What came over the serial line is read so often: that costs the guest nothing. */
const LISTEN_MS = 50;
const MOST_SCREENS = 16;
/** Changes are kept ever more rarely, so that the whole of a long boot is seen, and its end. */
const FIRST_SPACING_MS = 500;
/** Of a look that comes late: what was written meanwhile is read back so far at most. */
const READ_BACK_CHARACTERS = 128 * 1024;
const SERIAL_END_CHARACTERS = 4096;

const STAGES: Partial<Record<TextMeaning, BootStage>> = { loader: 'loader', kernel: 'kernel', 'user-space': 'user-space', login: 'login' };

export class Watch {
  readonly looks: Look[] = [];
  readonly stages: { stage: BootStage; wallMs: number; guestMs: number }[] = [];
  readonly kept: string[] = [];
  /** Names of the artefacts. */
  readonly screens: { name: string; wallMs: number }[] = [];
  private readonly texts = new Map<string, Recognised>();
  private serialSeen = 0;
  private nextScreenMs = 0;
  private spacingMs = FIRST_SPACING_MS;
  private keptDigest = '';
  private question: Recognised | null = null;
  private picture = { digest: '', text: '' };

  constructor(
    readonly machine: Machine,
    private readonly keep: Keep,
    readonly signal: AbortSignal,
    private readonly read: ReadPicture,
  ) {}

  get recognised(): Recognised[] {
    return [...this.texts.values()];
  }

  /** Somebody could log in. */
  get hasPrompt(): boolean {
    return this.recognised.some(({ meaning }) => meaning === 'login');
  }

  get last(): Look {
    const look = this.looks.at(-1);
    if (!look) throw new TypeError('the machine was not looked at yet');
    return look;
  }

  /** Time that the guest really had since a look; default: since the first. */
  had(since: Look | undefined = this.looks[0]): number {
    return since ? hadBetween(since, this.last) : 0;
  }

  async look(): Promise<Look> {
    this.signal.throwIfAborted();
    const before = this.looks.at(-1);
    const look = await this.machine.look();
    this.looks.push(look);
    this.readConsoles(look, before);
    if (look.screen && look.screen.digest !== before?.screen?.digest && look.wallMs >= this.nextScreenMs) {
      await this.keepScreen();
      this.nextScreenMs = look.wallMs + this.spacingMs;
      this.spacingMs *= 1.6;
    }
    return look;
  }

  /** Looks on until `enough` says so, or the guest had so much time. @returns whether `enough` did */
  async until(enough: () => boolean, hadMs: number, pauseMs = PAUSE_MS): Promise<boolean> {
    const since = await this.look();
    while (!enough()) {
      if (this.had(since) >= hadMs || this.isOver()) return enough();
      await this.rest(pauseMs);
      await this.look();
    }
    return true;
  }

  /** Shorter when the guest switches itself off, or a login prompt comes over the serial line while it starts. */
  private async rest(ms: number): Promise<void> {
    if (this.machine.way !== 'boot' || this.hasPrompt) return this.machine.wait(ms, this.signal);
    const events = this.machine.events.length;
    for (let left = ms; left > 0 && this.machine.events.length === events; left -= LISTEN_MS) {
      await this.machine.wait(Math.min(LISTEN_MS, left), this.signal);
      if (lastPrompt(this.serialEnd(), 'serial')?.meaning === 'login') return;
    }
  }

  /** Looks on while something else is under way, until `enough` says so. @returns null when that came first; the work goes on then */
  async during<T>(work: Promise<T>, enough: () => boolean, pauseMs = PAUSE_MS): Promise<T | null> {
    let done: { value: T } | null = null;
    const noted = work.then((value) => {
      done = { value };
    });
    // It is thrown to whoever waits for the work again.
    noted.catch(() => undefined);
    while (done === null && !enough() && !this.isOver()) {
      await Promise.race([noted, this.rest(pauseMs)]);
      if (done === null) await this.look();
    }
    return done === null ? null : (done as { value: T }).value;
  }

  async pause(hadMs: number): Promise<void> {
    await this.until(() => false, hadMs);
  }

  /** Powered off, panicked for good, or QEMU is gone: nothing more will come. */
  isOver(): boolean {
    return this.looks.length > 0 && !RUNNING.has(this.last.status);
  }

  /** Reset by its own system so often. */
  get restarts(): number {
    return this.machine.events.filter(({ event, data }) => event === 'RESET' && data.guest === true).length;
  }

  /** Before anything is touched: answers to our own keys come to stand below the question. */
  noteQuestion(): void {
    const prompt = this.prompt();
    if (prompt?.meaning === 'passphrase') this.question = prompt;
  }

  /** What a console that waits for somebody shows last: the screen first, for that is where a person sits. A secret that was asked for is still waited for. */
  prompt(): Recognised | null {
    return this.lastLine() ?? this.question;
  }

  private lastLine(): Recognised | null {
    const { text, source } = this.shown();
    return lastPrompt(text, source) ?? lastPrompt(this.serialEnd(), 'serial');
  }

  /** What stands on the screen now; of a machine whose screen shows nothing, or nothing that can be read, at the end of its serial line. */
  standing(): Recognised[] {
    const { text, source } = this.shown();
    return text.trim() === '' ? recognise(this.serialEnd(), 'serial') : recognise(text, source);
  }

  private shown(): { text: string; source: 'screen' | 'picture' } {
    const { text = null, digest = '' } = this.last.screen ?? {};
    if (text !== null) return { text, source: 'screen' };
    return { text: digest === this.picture.digest ? this.picture.text : '', source: 'picture' };
  }

  private serialEnd(): string {
    return this.machine.serialText().slice(-SERIAL_END_CHARACTERS);
  }

  noteStage(stage: BootStage): void {
    if (!this.stages.some((known) => known.stage === stage)) this.stages.push({ stage, wallMs: this.last.wallMs, guestMs: this.last.guestMs });
  }

  /** As it is now, unless it is the one that was kept last. */
  async keepScreen(): Promise<void> {
    const digest = this.looks.at(-1)?.screen?.digest ?? '';
    if (this.screens.length >= MOST_SCREENS || digest === this.keptDigest) return;
    const png = await this.machine.screenshot();
    if (!png) return;
    this.keptDigest = digest;
    const wallMs = this.looks.at(-1)?.wallMs ?? 0;
    const kept = await this.keepFile(`screen-${String(this.screens.length + 1).padStart(3, '0')}.png`, 'image/png', png);
    if (kept !== null) this.screens.push({ name: kept, wallMs });
  }

  /** Reads the screen's pixels where its text is not known, and it has changed since. A full screen takes seconds; with a limit, it may stay unread. */
  async readPicture(limitMs?: number): Promise<void> {
    const { screen } = this.last;
    if (!screen || screen.text !== null || screen.blank || screen.digest === this.picture.digest) return;
    const png = await this.machine.screenshot();
    const text = png && (await this.read(png, limitMs));
    if (text === null && limitMs !== undefined) return;
    this.picture = { digest: screen.digest, text: text ?? '' };
    if (text) this.note(recognise(text, 'picture', this.machine.way === 'boot'));
  }

  /** @returns its name among the artefacts; null for an empty file, which is not kept */
  async keepFile(name: string, mediaType: string, bytes: Uint8Array): Promise<string | null> {
    if (bytes.length === 0) return null;
    const { name: kept } = await this.keep(`${this.machine.way}/${name}`, mediaType, bytes);
    this.kept.push(kept);
    return kept;
  }

  private readConsoles(look: Look, before: Look | undefined): void {
    const fresh = this.machine.way === 'boot' || before !== undefined;
    if (look.screen?.text && look.screen.digest !== before?.screen?.digest) this.note(recognise(look.screen.text, 'screen', fresh));
    const news = Math.min(look.serialBytes - this.serialSeen, READ_BACK_CHARACTERS);
    // A line that was cut by the look before is read whole now.
    if (news > 0) this.note(recognise(this.machine.serialText().slice(-news - 200), 'serial'));
    this.serialSeen = look.serialBytes;
  }

  /** What an old screen showed stays old, even when it is drawn again, or something is typed behind it. */
  private note(texts: Recognised[]): void {
    for (const text of texts) {
      const key = `${text.code} ${text.source}`;
      const known = this.texts.get(key);
      if (!known || !text.text.startsWith(known.text)) this.texts.set(key, text);
      const stage = STAGES[text.meaning];
      if (stage && text.fresh) this.noteStage(stage);
    }
  }
}

/** QEMU's run states in which a guest goes on. */
const RUNNING = new Set(['running', 'colo', 'inmigrate', 'prelaunch']);
