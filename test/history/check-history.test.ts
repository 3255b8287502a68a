import { describe, expect, it } from 'vitest';
import type { HistoryRequest } from '../../src/repositories/message.repository.js';
import { checkHistory, type Rule, RULES } from './check-history.js';
import type { Append, Read, SeenMessage } from './history.js';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type MutableCall = Mutable<Append> | Mutable<Read>;

/** A history that the edits below make wrong. */
class Story {
  readonly calls: MutableCall[] = [];
  readonly final: Record<string, { messageCount: number; messages: SeenMessage[] }> = {
    A: { messageCount: 6, messages: [1, 2, 3, 4, 5, 6].map((seq) => message('a', seq)) },
    B: { messageCount: 2, messages: [1, 2].map((seq) => message('b', seq)) },
  };

  constructor() {
    this.append('ada', 'A', 'a1', [10, 20]);
    this.append('bob', 'A', 'a2', [30, 40]);
    this.append('ada', 'A', 'a3', [50, 60]);
    this.append('cyd', 'A', 'a4', [70, 80], { idempotencyKey: 'k4' });
    this.append('bob', 'B', 'b1', [90, 100]);
    // Of these two, the first was stored and the second was not.
    this.append('dan', 'A', 'a5', [110, undefined], { outcome: 'unknown' });
    this.append('eve', 'A', 'nothing came of it', [110, 115], { outcome: 'unknown' });
    this.append('fay', 'A', 'refused', [110, 120], { outcome: 'failed', error: 'VALIDATION_FAILED' });
    this.append('fay', 'A', 'rolled back', [125, 135], { outcome: 'failed', error: 'ROLLED_BACK' });
    this.read('ada', 'A', { last: 50 }, [140, 150], [1, 2, 3, 4, 5]);
    this.append('cyd', 'A', 'a4', [160, 170], { idempotencyKey: 'k4' });
    this.read('ada', 'A', { last: 2 }, [160, 170], [4, 5]);
    // Begun together; the read may hold the append or not.
    this.append('bob', 'A', 'a6', [180, 200], { idempotencyKey: 'k6', outcome: 'unknown' });
    this.append('bob', 'A', 'a6', [210, 220], { idempotencyKey: 'k6' });
    this.read('ada', 'A', { after: 2, limit: 3 }, [185, 195], [3, 4, 5]);
    this.append('bob', 'B', 'b2', [230, 240]);
    this.read('cyd', 'A', { before: 5, limit: 2 }, [230, 240], [3, 4]);
    this.read('cyd', 'A', { after: 9, limit: 2 }, [245, 249], []);
    this.read('ada', 'A', { last: 3 }, [250, 260], [4, 5, 6]);
    this.read('cyd', 'B', { last: 3 }, [250, 260], [1, 2]);
    this.calls.push({
      kind: 'read',
      caller: 'ada',
      conversation: 'B',
      request: { last: 1 },
      begin: 270n,
      outcome: 'unknown',
    });
  }

  append(
    caller: string,
    conversation: string,
    content: string,
    time: readonly [number, number | undefined],
    more: Partial<Append> = {},
  ): void {
    const result = { ...message(content[0] ?? '', Number(content[1])), content };
    const outcome = { outcome: 'acknowledged', ...(more.outcome === undefined && { result }) } as const;
    this.calls.push({ kind: 'append', caller, conversation, content, ...span(time), ...outcome, ...more });
  }

  read(
    caller: string,
    conversation: string,
    request: HistoryRequest,
    time: readonly [number, number],
    seqs: readonly number[],
  ): void {
    const result = seqs.map((seq) => message(conversation.toLowerCase(), seq));
    this.calls.push({ kind: 'read', caller, conversation, request, ...span(time), outcome: 'acknowledged', result });
  }

  /** The append of a content; the last one, where there were several. */
  appendOf(content: string): Mutable<Append> {
    const append = this.calls.findLast((call) => call.kind === 'append' && call.content === content);
    return append as Mutable<Append>;
  }

  /** The read that began at an instant. */
  readAt(begin: number): Mutable<Read> {
    const read = this.calls.find((call) => call.kind === 'read' && call.begin === BigInt(begin));
    return read as Mutable<Read>;
  }

  broken(): Rule[] {
    const violations = checkHistory(this.calls, new Map(Object.entries(this.final)));
    return [...new Set(violations.map(({ rule }) => rule))];
  }
}

function message(letter: string, seq: number): SeenMessage {
  return { id: `id of ${letter}${String(seq)}`, seq, content: `${letter}${String(seq)}` };
}

function span([begin, end]: readonly [number, number | undefined]): { begin: bigint; end?: bigint } {
  return { begin: BigInt(begin), ...(end !== undefined && { end: BigInt(end) }) };
}

interface PlantedBug {
  readonly bug: string;
  /** The rules that it breaks, the one that it is made for first. */
  readonly breaks: readonly [Rule, ...Rule[]];
  readonly plant: (story: Story) => void;
}

const PLANTED: readonly PlantedBug[] = [
  {
    bug: 'two messages have one number',
    breaks: ['unique'],
    plant(story) {
      const double = { ...message('b', 3), seq: 2 };
      story.append('gus', 'B', 'b3', [230, 240], { result: double });
      story.final['B'] = { messageCount: 3, messages: [message('b', 1), message('b', 2), double] };
    },
  },
  {
    bug: 'two appends are acknowledged with one number',
    breaks: ['unique', 'kept'],
    plant(story) {
      story.append('gus', 'B', 'b3', [240, 250], { result: { ...message('b', 3), seq: 2 } });
    },
  },
  {
    bug: 'a number is left out',
    breaks: ['dense'],
    plant(story) {
      story.append('gus', 'B', 'b4', [270, 280]);
      story.final['B'] = { messageCount: 3, messages: [1, 2, 4].map((seq) => message('b', seq)) };
    },
  },
  {
    bug: 'a conversation does not begin with one',
    breaks: ['dense'],
    plant(story) {
      story.append('gus', 'C', 'c2', [270, 280]);
      story.final['C'] = { messageCount: 1, messages: [message('c', 2)] };
    },
  },
  {
    bug: 'the counter has lost an update',
    breaks: ['count'],
    plant({ final }) {
      Object.assign(final['A'] ?? {}, { messageCount: 5 });
    },
  },
  {
    bug: 'an append comes before one that had ended when it began',
    breaks: ['order'],
    plant(story) {
      // The read of both, which is right, shall not be what finds it.
      story.calls.splice(story.calls.indexOf(story.readAt(250)), 1);
      Object.assign(story.appendOf('b1'), span([245, 248]));
      story.readAt(250).begin = 241n;
    },
  },
  {
    bug: 'an append comes before one that another caller had read when it began',
    breaks: ['order'],
    plant(story) {
      story.readAt(140).request = { last: 1 };
      story.readAt(140).result = [message('a', 5)];
      story.calls.splice(
        story.calls.findIndex((call) => call.kind === 'append' && call.content === 'a4'),
        1,
      );
      Object.assign(story.appendOf('a4'), span([151, 155]));
    },
  },
  {
    bug: 'the last acknowledged message is lost',
    breaks: ['kept'],
    plant(story) {
      story.append('gus', 'B', 'b3', [270, 280]);
    },
  },
  {
    bug: 'an acknowledged message was replaced by one of unknown outcome',
    breaks: ['kept'],
    plant(story) {
      story.append('gus', 'B', 'b3', [270, 280]);
      story.append('dan', 'B', 'x3', [270, undefined], { outcome: 'unknown' });
      story.final['B'] = { messageCount: 3, messages: [message('b', 1), message('b', 2), message('x', 3)] };
    },
  },
  {
    bug: 'the message of a failed append is there',
    breaks: ['phantom'],
    plant(story) {
      story.final['A']?.messages.push({ ...message('a', 7), content: 'rolled back' });
      Object.assign(story.final['A'] ?? {}, { messageCount: 7 });
    },
  },
  {
    bug: 'a message is there that nobody appended',
    breaks: ['phantom'],
    plant({ final }) {
      final['B'] = { messageCount: 3, messages: [1, 2, 3].map((seq) => message('b', seq)) };
    },
  },
  {
    bug: 'a failed append is acknowledged when it is repeated, and had been stored at its first time',
    breaks: ['order'],
    plant(story) {
      Object.assign(story.calls.find((call) => call.kind === 'append' && call.content === 'a6') ?? {}, {
        outcome: 'failed',
      });
      story.append('gus', 'A', 'a7', [202, 205]);
      story.final['A'] = { messageCount: 7, messages: [1, 2, 3, 4, 5, 6, 7].map((seq) => message('a', seq)) };
      story.calls.splice(story.calls.indexOf(story.readAt(250)), 1);
    },
  },
  {
    bug: 'an append of unknown outcome counts twice',
    breaks: ['once'],
    plant({ final }) {
      final['A']?.messages.push({ ...message('a', 7), content: 'a5' });
      Object.assign(final['A'] ?? {}, { messageCount: 7 });
    },
  },
  {
    bug: 'a read has a hole',
    breaks: ['range'],
    plant(story) {
      story.readAt(140).result = [1, 2, 4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read repeats a message',
    breaks: ['range'],
    plant(story) {
      story.readAt(140).result = [1, 2, 3, 3, 4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read is not in order',
    breaks: ['range'],
    plant(story) {
      story.readAt(140).result = [5, 4, 3, 2, 1].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read of the last messages gives fewer than there are',
    breaks: ['range'],
    plant(story) {
      story.readAt(140).result = [4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read gives more than was asked for',
    breaks: ['range'],
    plant(story) {
      story.readAt(160).result = [3, 4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read of what comes after a message begins too late',
    breaks: ['range'],
    plant(story) {
      story.readAt(185).result = [4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read of what comes before a message reaches beyond it',
    breaks: ['range'],
    plant(story) {
      story.readAt(230).result = [4, 5].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a read lacks a message that was acknowledged before it began',
    breaks: ['fresh'],
    plant(story) {
      story.readAt(140).result = [1, 2, 3].map((seq) => message('a', seq));
    },
  },
  {
    bug: 'a conversation that has messages is read as empty',
    breaks: ['fresh'],
    plant(story) {
      story.read('gus', 'B', { last: 10 }, [110, 120], []);
    },
  },
  {
    bug: 'a read lacks a message that another caller had read before it began',
    breaks: ['fresh'],
    plant(story) {
      story.read('gus', 'A', { last: 2 }, [155, 159], [3, 4]);
    },
  },
  {
    bug: 'a read of what comes after a message stops short of one that was acknowledged before it began',
    breaks: ['fresh'],
    plant(story) {
      story.readAt(185).result = [3].map((seq) => message('a', seq));
      story.readAt(185).caller = 'gus';
    },
  },
  {
    bug: 'a caller sees less than it saw before',
    breaks: ['forward'],
    plant(story) {
      story.read('ada', 'A', { last: 2 }, [172, 178], [3, 4]);
    },
  },
  {
    bug: 'a read holds an append that began after the read had ended',
    breaks: ['future'],
    plant(story) {
      story.read('gus', 'B', { last: 10 }, [110, 120], [1, 2]);
    },
  },
  {
    bug: 'a read holds what was rolled back, whose number went to another message',
    breaks: ['committed'],
    plant(story) {
      story.read('gus', 'A', { last: 1 }, [130, 134], [5]);
      story.readAt(130).result = [{ ...message('r', 5), content: 'rolled back' }];
    },
  },
  {
    bug: 'two messages have changed their conversations',
    breaks: ['content', 'kept'],
    plant({ final }) {
      final['A']?.messages.splice(1, 1, { ...message('a', 2), content: 'b2' });
      final['B']?.messages.splice(1, 1, { ...message('b', 2), content: 'a2' });
    },
  },
  {
    bug: 'a read shows the message of another conversation',
    breaks: ['content'],
    plant(story) {
      story.readAt(250).result = [4, 5, 6].map((seq) => (seq === 5 ? { ...message('b', 2), seq } : message('a', seq)));
    },
  },
  {
    bug: 'an append is answered with the message of another one',
    breaks: ['content', 'unique'],
    plant(story) {
      story.appendOf('b2').result = message('b', 1);
    },
  },
  {
    bug: 'the same key has another result, although only one message is there',
    breaks: ['key', 'kept'],
    plant(story) {
      story.appendOf('a4').result = { ...message('a', 4), id: 'another' };
    },
  },
  {
    bug: 'a key is taken for another content',
    breaks: ['key'],
    plant(story) {
      story.append('cyd', 'B', 'b3', [270, 280], { idempotencyKey: 'k4' });
      story.final['B'] = { messageCount: 3, messages: [1, 2, 3].map((seq) => message('b', seq)) };
    },
  },
  {
    bug: 'two messages are there under one key, and the outcome of one is unknown',
    breaks: ['key'],
    plant(story) {
      story.append('cyd', 'B', 'b3', [270, undefined], { idempotencyKey: 'k4', outcome: 'unknown' });
      story.final['B'] = { messageCount: 3, messages: [1, 2, 3].map((seq) => message('b', seq)) };
    },
  },
];

describe('the checker', () => {
  it('finds nothing in a history that keeps all rules', () => {
    expect(new Story().broken()).toEqual([]);
  });

  it.each(PLANTED)('names "$breaks.0" when $bug', ({ breaks, plant }) => {
    const story = new Story();
    plant(story);
    const broken = story.broken();
    expect(broken).toContain(breaks[0]);
    expect(broken.toSorted()).toEqual(breaks.toSorted());
  });

  it('has a planted bug for each of its rules', () => {
    expect(new Set(PLANTED.map(({ breaks }) => breaks[0]))).toEqual(new Set(Object.keys(RULES)));
  });

  it('refuses a history in which a message would not tell whose it is', () => {
    const story = new Story();
    story.append('gus', 'B', 'b2', [270, 280]);
    expect(() => story.broken()).toThrow(new TypeError('two requests append b2'));
  });
});
