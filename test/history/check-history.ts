import type { HistoryRequest } from '../../src/repositories/message.repository.js';
import type { Append, Call, FinalState, Read, SeenMessage } from './history.js';

/** What a history must keep, each rule under the name by which a violation of it is reported. */
export const RULES = {
  unique: 'no two messages of a conversation have the same sequence number',
  dense: 'the sequence numbers of a conversation are 1..n',
  count: "a conversation's messageCount is the number of its messages",
  kept: 'an acknowledged message is there at the end, under its id and sequence number',
  phantom: 'nothing is there that no call appended, or only calls that failed',
  once: 'a message is there at most once, also when its call was repeated or its outcome is unknown',
  content: 'a message keeps its conversation, id and content wherever it is shown',
  key: 'every call under one idempotency key has the same result',
  order: 'an append that began after a message was known to be stored has a higher sequence number',
  range: 'a read is the whole range that was asked for, without a hole',
  fresh: 'a read holds every message that was known to be stored before it began',
  forward: 'a caller that reads again sees no less than it saw before',
  future: 'a read holds no message whose append began after the read had ended',
  committed: 'a read holds no message that is not there at the end',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly conversation: string;
  readonly detail: string;
}

/** All calls that appended one content: one message, or none. */
interface Request {
  readonly conversation: string;
  readonly key: string | undefined;
  readonly calls: Append[];
  /** When the first of those that did not fail began: no earlier one can have written the message. */
  begin?: bigint;
}

/** When a conversation was known to reach up to which sequence number. */
class Known {
  readonly #instants: { readonly end: bigint; highest: number }[] = [];

  add(end: bigint, highest: number): void {
    this.#instants.push({ end, highest });
  }

  /** To be called after the last `add`. */
  sort(): void {
    this.#instants.sort((a, b) => (a.end < b.end ? -1 : 1));
    let highest = 0;
    for (const instant of this.#instants) instant.highest = highest = Math.max(highest, instant.highest);
  }

  /** The highest number that was known before an instant. */
  before(instant: bigint): number {
    let [low, high] = [0, this.#instants.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#instants[middle]?.end ?? 0n) < instant) low = middle + 1;
      else high = middle;
    }
    return this.#instants[low - 1]?.highest ?? 0;
  }
}

/**
 * Holds a history against the rules. That sequences are dense and messages never change is what makes this near linear: a read stands
 * for one number, how far the conversation reached, where a checker of arbitrary transactions (Kingsbury and Alvaro, "Elle", VLDB
 * 2020) has to search for cycles. All reads are of the one primary, so what one caller has seen binds every later one.
 *
 * @throws TypeError when two requests have the same content, because then a message would not tell whose it is.
 */
export function checkHistory(calls: readonly Call[], final: FinalState): Violation[] {
  return new Checker(calls, final).check();
}

class Checker {
  readonly #final: FinalState;
  readonly #appends: readonly Append[];
  readonly #reads: readonly Read[];
  readonly #requests = new Map<string, Request>();
  readonly #stored = new Map<string, SeenMessage>();
  readonly #known = new Map<string, Known>();
  readonly #violations: Violation[] = [];

  constructor(calls: readonly Call[], final: FinalState) {
    this.#final = final;
    this.#appends = calls.filter((call) => call.kind === 'append');
    const reads = calls.filter((call) => call.kind === 'read' && call.outcome === 'acknowledged') as Read[];
    this.#reads = reads.toSorted((a, b) => (a.begin < b.begin ? -1 : 1));
    for (const conversation of final.keys()) this.#known.set(conversation, new Known());
    for (const append of this.#appends) this.#addToRequest(append);
  }

  check(): Violation[] {
    for (const conversation of this.#final.keys()) this.#checkFinal(conversation);
    this.#checkAcknowledged();
    this.#checkKeys();
    const sound = this.#reads.filter((read) => this.#showsWhatIsThere(read));
    for (const { conversation, end = 0n, result = [] } of sound) {
      this.#known.get(conversation)?.add(end, result.at(-1)?.seq ?? 0);
    }
    for (const known of this.#known.values()) known.sort();
    for (const [content, request] of this.#requests) this.#checkOrder(content, request);
    this.#checkReach(sound);
    return this.#violations;
  }

  #report(rule: Rule, conversation: string, detail: string): void {
    this.#violations.push({ rule, conversation, detail });
  }

  #addToRequest(append: Append): void {
    const { content, conversation, idempotencyKey: key, begin, outcome } = append;
    const request: Request = this.#requests.get(content) ?? { conversation, key, calls: [] };
    const isRepeated = request.calls.length > 0;
    if (isRepeated && (key === undefined || request.key !== key || request.conversation !== conversation)) {
      throw new TypeError(`two requests append ${content}`);
    }
    request.calls.push(append);
    if (outcome !== 'failed' && !(request.begin !== undefined && request.begin < begin)) request.begin = begin;
    this.#requests.set(content, request);
  }

  #checkFinal(conversation: string): void {
    const { messageCount, messages } = this.#final.get(conversation) ?? { messageCount: 0, messages: [] };
    if (messageCount !== messages.length) {
      this.#report('count', conversation, `counts ${String(messageCount)}, holds ${String(messages.length)}`);
    }
    let previous = 0;
    for (const message of messages) {
      const { seq, content } = message;
      if (seq === previous) this.#report('unique', conversation, `${show(message)} shares its number`);
      else if (seq !== previous + 1)
        this.#report('dense', conversation, `${show(message)} follows ${String(previous)}`);
      previous = seq;
      const request = this.#requests.get(content);
      if (!request) this.#report('phantom', conversation, `nobody appended ${show(message)}`);
      else if (request.conversation !== conversation) {
        this.#report('content', conversation, `${show(message)} was appended to ${request.conversation}`);
      } else if (request.calls.every(({ outcome }) => outcome === 'failed')) {
        this.#report('phantom', conversation, `${show(message)} is there, and its append failed`);
      }
      if (this.#stored.has(content)) this.#report('once', conversation, `${show(message)} is there again`);
      else this.#stored.set(content, message);
    }
  }

  #checkAcknowledged(): void {
    const takers = new Map<string, string>();
    for (const { outcome, conversation, content, result, end } of this.#appends) {
      if (outcome !== 'acknowledged' || !result || end === undefined) continue;
      const place = `${conversation} ${String(result.seq)}`;
      const taker = takers.get(place);
      if (taker !== undefined && taker !== content) {
        this.#report('unique', conversation, `${show(result)} was acknowledged, and ${taker} at the same number`);
      }
      takers.set(place, content);
      const stored = this.#stored.get(content);
      if (result.content !== content) {
        this.#report('content', conversation, `the append of ${content} was answered by ${show(result)}`);
      } else if (!stored || stored.seq !== result.seq || stored.id !== result.id) {
        this.#report('kept', conversation, `${show(result)} was acknowledged; at the end there is ${show(stored)}`);
      } else this.#known.get(conversation)?.add(end, result.seq);
    }
  }

  #checkKeys(): void {
    const results = new Map<string, { readonly id: string; readonly content: string }>();
    const compare = (key: string, conversation: string, message: SeenMessage): void => {
      const first = results.get(key) ?? message;
      results.set(key, first);
      if (first.id === message.id && first.content === message.content) return;
      this.#report('key', conversation, `${key} stands for ${first.content} and for ${show(message)}`);
    };
    for (const { idempotencyKey: key, conversation, result } of this.#appends) {
      if (key !== undefined && result) compare(key, conversation, result);
    }
    for (const [content, message] of this.#stored) {
      const request = this.#requests.get(content);
      if (request?.key !== undefined) compare(request.key, request.conversation, message);
    }
  }

  #checkOrder(content: string, { conversation, begin, calls }: Request): void {
    const seq = this.#stored.get(content)?.seq ?? calls.find(({ result }) => result)?.result?.seq;
    if (seq === undefined || begin === undefined) return;
    const known = this.#known.get(conversation)?.before(begin) ?? 0;
    if (seq > known) return;
    this.#report('order', conversation, `${content} is ${String(seq)}; ${String(known)} was there before it began`);
  }

  /** Whether the read is one range of messages that are there at the end and whose appends had begun. */
  #showsWhatIsThere(read: Read): boolean {
    const { conversation, request, result = [], end = 0n, caller } = read;
    const found = this.#violations.length;
    const length = 'last' in request ? request.last : (request.limit ?? 50);
    const [first = 0, last = 0] = [result[0]?.seq, result.at(-1)?.seq];
    const due = 'after' in request ? request.after + 1 : Math.max(1, last - length + 1);
    const isRange = result.every(({ seq }, index) => seq === first + index);
    if (result.length > 0 && (!isRange || first !== due || result.length > length || last > topOf(request))) {
      const shown = `${String(first)}..${String(last)} in ${String(result.length)}`;
      this.#report('range', conversation, `${caller} asked ${JSON.stringify(request)} and got ${shown}`);
    }
    for (const message of result) {
      const [there, origin] = [this.#stored.get(message.content), this.#requests.get(message.content)];
      const seen = `${caller} read ${show(message)}`;
      if (!there) this.#report('committed', conversation, `${seen}, which is not there at the end`);
      else if (origin?.conversation !== conversation || there.seq !== message.seq || there.id !== message.id) {
        this.#report(
          'content',
          conversation,
          `${seen}; at the end it is ${show(there)} of ${String(origin?.conversation)}`,
        );
      } else if ((origin.begin ?? 0n) > end) {
        this.#report('future', conversation, `${seen}, whose append began later`);
      }
    }
    return this.#violations.length === found;
  }

  /** Every read must reach as far as the conversation was known to reach when it began, as far as what it asked for can. */
  #checkReach(reads: readonly Read[]): void {
    const seen = new Map<string, number>();
    for (const { caller, conversation, begin, request, result = [] } of reads) {
      const pair = `${caller} ${conversation}`;
      const [own, reach] = [seen.get(pair) ?? 0, reachOf(request, result)];
      const known = this.#known.get(conversation)?.before(begin) ?? 0;
      const detail = `${caller} asked ${JSON.stringify(request)} and saw up to ${String(reach)}`;
      if (reach < Math.min(own, topOf(request))) {
        this.#report('forward', conversation, `${detail}, after it had seen ${String(own)}`);
      } else if (reach < Math.min(known, topOf(request))) {
        this.#report('fresh', conversation, `${detail}; ${String(known)} was there before it began`);
      }
      seen.set(pair, Math.max(own, result.at(-1)?.seq ?? 0));
    }
  }
}

/** The highest number that the read can show. */
function topOf(request: HistoryRequest): number {
  if ('last' in request) return Infinity;
  return 'after' in request ? request.after + (request.limit ?? 50) : request.before - 1;
}

/** How far the conversation reached at most, as the read shows it. */
function reachOf(request: HistoryRequest, result: readonly SeenMessage[]): number {
  return result.at(-1)?.seq ?? ('after' in request ? request.after : 0);
}

function show(message: SeenMessage | undefined): string {
  return message ? `${message.content} (${String(message.seq)}, ${message.id})` : 'nothing';
}
