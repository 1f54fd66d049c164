/**
 * Looks for the guest on its closed network and asks its services. What its own files and the policy say is where it should be found;
 * what answered once is not asked again.
 */
import type { CheckContext } from '../../../src/check.js';
import type { GuestNetwork, Machine } from '../../../src/labs/lab.js';
import type { ExpectedService, OfferedService } from '../../../src/types.js';
import type { ProbeResult, ProofLevel } from '../evidence.js';
import type { Plan } from '../plan.js';
import { probeOf, type ServiceAnswer } from '../services/all.js';
import type { Watch } from '../watch/watch.js';

export interface Question {
  name: string;
  protocol: string;
  port: number;
  /** Null: wherever the guest is found. */
  address: string | null;
  required: boolean;
}

const DISCOVER_MS = 1_000;
const PING_MS = 1_000;
const ASK_MS = 5_000;
/** Of a guest with many addresses. */
const MOST_ADDRESSES = 4;
const LEVELS: Record<NonNullable<ServiceAnswer['proves']>, ProofLevel> = { link: 'kernel', kernel: 'kernel', service: 'user-space' };

export function askNetworkOf({ inspection, services, signal }: CheckContext<unknown>, { network }: Machine): Pick<Plan, 'askNetwork' | 'asksServices'> {
  if (!network) return { askNetwork: async () => [], asksServices: false };
  const offers = inspection.systems.map((system) => system.network);
  const questions = questionsOf(
    services ?? [],
    offers.flatMap((offer) => offer?.services ?? []),
  );
  const expected = [...new Set(offers.flatMap((offer) => offer?.addresses.flatMap(({ address }) => address ?? []) ?? []))];
  const asker = new Asker(network, questions, expected, signal);
  return { askNetwork: (watch) => asker.ask(watch), asksServices: questions.length > 0 };
}

/** What the policy names wins over what the guest's files say of the same port. Only what can be reached from outside is asked. */
export function questionsOf(named: readonly ExpectedService[], offered: readonly OfferedService[]): Question[] {
  const own = named.flatMap(({ name, protocol, port, address, required }): Question[] => {
    // A server may be set up for another port than its usual one (sshd on 2222).
    const number = port ?? offered.find((offer) => offer.protocol === protocol && offer.reachable)?.port ?? probeOf(protocol)?.defaultPort;
    return number ? [{ name: name ?? protocol, protocol, port: number, address: address ?? null, required: required ?? true }] : [];
  });
  const found = offered.filter(({ reachable, protocol, port }) => reachable && probeOf(protocol) !== undefined && !own.some((other) => other.port === port));
  return [...own, ...found.map(({ name, protocol, port, address }) => ({ name, protocol, port, address, required: false }))];
}

class Asker {
  private readonly results = new Map<string, ProbeResult>();
  private found: string[] = [];
  private asking: Promise<ProbeResult[]> | null = null;

  constructor(
    private readonly network: GuestNetwork,
    private readonly questions: Question[],
    private readonly expected: string[],
    private readonly signal: AbortSignal,
  ) {}

  /** Who asks meanwhile gets the same answers. */
  ask(watch: Watch): Promise<ProbeResult[]> {
    this.asking ??= this.askAll(watch).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async askAll(watch: Watch): Promise<ProbeResult[]> {
    if (this.found.length === 0) await this.discover(watch);
    const open = this.questions.filter((question) => !this.results.get(keyOf(question))?.answered);
    await Promise.all(open.map((question) => this.askOne(question, watch)));
    return [...this.results.values()];
  }

  /** Its answer to a ping proves that the kernel takes interrupts, and nothing of its programs. */
  private async discover(watch: Watch): Promise<void> {
    const expected = [...new Set([...this.expected, ...this.network.addresses, ...this.questions.flatMap(({ address }) => address ?? [])])];
    const { wallMs, guestMs } = watch.last;
    this.found = await this.network.discover(expected, { timeoutMs: DISCOVER_MS, signal: this.signal });
    const [address] = this.found;
    const afterMs = address === undefined ? null : await this.network.ping(address, { timeoutMs: PING_MS });
    const what = address === undefined ? 'the guest was looked for on its network: nothing' : `the guest was found at ${this.found.join(', ')}`;
    const answered = address !== undefined;
    this.results.set('link', { kind: 'link', wallMs, guestMs, answered, proves: answered ? 'kernel' : null, afterMs, what, required: false });
  }

  private async askOne(question: Question, watch: Watch): Promise<void> {
    const { wallMs, guestMs } = watch.last;
    const probe = probeOf(question.protocol);
    const addresses = this.addressesFor(question);
    const base = { kind: 'service' as const, wallMs, guestMs, required: question.required };
    const title = `${question.name} on port ${question.port}`;
    if (!probe || addresses.length === 0) {
      this.results.set(keyOf(question), { ...base, answered: false, proves: null, afterMs: null, what: `${title}: the guest was not found on its network` });
      return;
    }
    let answer = await probe.probe(this.network, addresses[0] as string, question.port, { timeoutMs: ASK_MS });
    for (const address of addresses.slice(1)) {
      if (answer.answered) break;
      answer = await probe.probe(this.network, address, question.port, { timeoutMs: ASK_MS });
    }
    const proves = answer.proves === null ? null : LEVELS[answer.proves];
    this.results.set(keyOf(question), { ...base, answered: answer.answered, proves, afterMs: answer.milliseconds, what: `${title}: ${answer.what}` });
  }

  /** Where a service should be, if the guest is there; else everywhere where the guest was found, IPv4 first. */
  private addressesFor({ address }: Question): string[] {
    if (address !== null && this.found.includes(address)) return [address];
    return [...this.found].sort((a, b) => Number(a.includes(':')) - Number(b.includes(':'))).slice(0, MOST_ADDRESSES);
  }
}

const keyOf = ({ protocol, port, address }: Question): string => `${protocol} ${port} ${address ?? ''}`;
