import { setTimeout as pause } from 'node:timers/promises';
import type { HistoryRequest } from '../../src/repositories/message.repository.js';
import { ColloquyError } from '../../src/errors.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import { seededNumbers } from '../support/sources.js';
import type { FinalConversation, FinalState, HistoryRecorder, Outcome, SeenMessage } from './history.js';

/** What the callers call: the library, or something that does its work wrongly on purpose. */
export interface Store {
  append(conversation: string, content: string, idempotencyKey?: string): Promise<SeenMessage>;
  /** Appends in a unit of work that is rolled back; always rejects with {@link RolledBack}. */
  appendAndRollBack(conversation: string, content: string): Promise<never>;
  history(conversation: string, request: HistoryRequest): Promise<SeenMessage[]>;
}

/** What a caller throws to end its own unit of work. */
export class RolledBack extends Error {}

/** The library as its users call it. */
export function storeOf(tenant: TenantContext): Store {
  return {
    append: (conversation, content, idempotencyKey) =>
      tenant.messages.append(conversation, { role: 'user', content }, { idempotencyKey }),
    appendAndRollBack: (conversation, content) =>
      tenant.transaction(async ({ messages }) => {
        await messages.append(conversation, { role: 'user', content });
        throw new RolledBack();
      }),
    history: (conversation, request) => tenant.messages.history(conversation, request),
  };
}

const PAGE = 10_000;

/** What is there when nobody calls any more. */
export async function readFinalState(tenant: TenantContext, conversations: readonly string[]): Promise<FinalState> {
  const final = new Map<string, FinalConversation>();
  for (const id of conversations) {
    const messages: SeenMessage[] = [];
    let page: SeenMessage[];
    do {
      page = await tenant.messages.history(id, { after: messages.at(-1)?.seq ?? 0, limit: PAGE });
      messages.push(...page);
    } while (page.length === PAGE);
    final.set(id, { messageCount: (await tenant.conversations.get(id)).messageCount, messages });
  }
  return final;
}

export interface Workload {
  readonly seed: number;
  /** Tells the callers and the contents of this process from those of others. */
  readonly name: string;
  readonly callers: number;
  readonly conversations: readonly string[];
  /** The work is done when so many appends were acknowledged. */
  readonly appends: number;
}

/** What a caller sends; the same one again after an unknown outcome. */
interface Request {
  readonly conversation: string;
  readonly content: string;
  readonly idempotencyKey?: string;
  readonly isRolledBack?: boolean;
  /** Must be refused, so that the caller neither minds nor tries again. */
  readonly isWrong?: boolean;
}

const ATTEMPTS = 100;
const MAX_PAUSE = 40;

/** The callers of one process, each of which appends and reads at random, the same way for the same seed. */
export class Callers {
  readonly #store: Store;
  readonly #recorder: HistoryRecorder;
  readonly #workload: Workload;
  readonly #onAcknowledged: () => void;
  readonly #sent: Request[] = [];
  #acknowledged = 0;
  #requests = 0;
  #shared = 0;

  constructor(store: Store, recorder: HistoryRecorder, workload: Workload, onAcknowledged = (): void => {}) {
    this.#store = store;
    this.#recorder = recorder;
    this.#workload = workload;
    this.#onAcknowledged = onAcknowledged;
  }

  /** Resolves when the workload is done. */
  async run(): Promise<void> {
    const { callers, seed, name } = this.#workload;
    await Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        const draw = seededNumbers(seed * 1_000 + caller);
        while (this.#acknowledged < this.#workload.appends) await this.#callOnce(`${name}.${String(caller)}`, draw);
      }),
    );
  }

  async #callOnce(caller: string, draw: (max: number) => number): Promise<void> {
    if (draw(5) === 1) await this.#read(caller, draw);
    else await this.#send(caller, this.#draft(draw), draw);
  }

  #draft(draw: (max: number) => number): Request {
    const { name, conversations } = this.#workload;
    const conversation = conversations[draw(conversations.length) - 1] ?? '';
    const content = `${name}-${String((this.#requests += 1))}`;
    const earlier = this.#sent[draw(Math.max(1, this.#sent.length)) - 1];
    const kind = draw(100);
    if (kind <= 2) return { conversation, content: `${content}\0`, isWrong: true };
    if (kind <= 4) return { conversation, content, isRolledBack: true, isWrong: true };
    if (kind <= 6 && earlier) return { ...earlier, content, isWrong: true };
    if (kind <= 10 && earlier) return earlier;
    if (kind <= 15) return this.#nextShared();
    return { conversation, content, ...(kind <= 60 && { idempotencyKey: content }) };
  }

  /** A request that every process sends, at about the same time. */
  #nextShared(): Request {
    const { conversations } = this.#workload;
    const content = `shared-${String((this.#shared += 1))}`;
    return {
      conversation: conversations[this.#shared % conversations.length] ?? '',
      content,
      idempotencyKey: content,
    };
  }

  async #send(caller: string, request: Request, draw: (max: number) => number): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const outcome = await this.#append(caller, request);
      if (outcome === 'acknowledged' || request.isWrong) break;
      await pause(draw(MAX_PAUSE));
      // Without a key, a second try after an unknown outcome could write a second message.
      if (request.idempotencyKey === undefined) break;
    }
  }

  async #append(caller: string, request: Request): Promise<Outcome> {
    const { conversation, content, idempotencyKey, isRolledBack } = request;
    const call = { kind: 'append', caller, conversation, content, ...(idempotencyKey && { idempotencyKey }) } as const;
    const end = this.#recorder.begin(call);
    const calling = isRolledBack
      ? this.#store.appendAndRollBack(conversation, content)
      : this.#store.append(conversation, content, idempotencyKey);
    try {
      end({ outcome: 'acknowledged', result: seen(await calling) });
    } catch (error) {
      const failure = failureOf(error);
      end(failure);
      return failure.outcome;
    }
    this.#acknowledged += 1;
    if (idempotencyKey !== undefined) this.#sent.push(request);
    this.#onAcknowledged();
    return 'acknowledged';
  }

  async #read(caller: string, draw: (max: number) => number): Promise<void> {
    const conversation = this.#workload.conversations[draw(this.#workload.conversations.length) - 1] ?? '';
    const reached = Math.ceil(this.#acknowledged / this.#workload.conversations.length);
    const requests: readonly HistoryRequest[] = [
      { last: draw(50) },
      { last: draw(5) },
      { after: draw(2 * reached + 1) - 1, limit: draw(20) },
      { before: draw(2 * reached + 1), limit: draw(20) },
    ];
    const request = requests[draw(requests.length) - 1] ?? { last: 1 };
    const end = this.#recorder.begin({ kind: 'read', caller, conversation, request });
    try {
      const messages = await this.#store.history(conversation, request);
      end({ outcome: 'acknowledged', result: messages.map(seen) });
    } catch (error) {
      end(failureOf(error));
      await pause(draw(MAX_PAUSE));
    }
  }
}

function seen({ id, seq, content }: SeenMessage): SeenMessage {
  return { id, seq, content };
}

/** What an error says of its call. One that is none of the library's says nothing; whoever checks the history counts them. */
function failureOf(error: unknown): { readonly outcome: Outcome; readonly error: string } {
  if (error instanceof RolledBack) return { outcome: 'failed', error: 'ROLLED_BACK' };
  if (!(error instanceof ColloquyError)) return { outcome: 'unknown', error: `UNEXPECTED ${String(error)}` };
  const code: string = error.code;
  return { outcome: code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'failed', error: code };
}
