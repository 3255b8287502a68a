/** A message and a conversation as a line of a Colloquy archive has them. */
export interface MessageLine {
  readonly role: string;
  readonly content: string;
  readonly [field: string]: unknown;
}

export interface ConversationLine {
  readonly source: string;
  readonly id: string;
  readonly messages: readonly MessageLine[];
  readonly [field: string]: unknown;
}

/** Messages of both roles in turn, which say where they stand. */
export function turns(count: number, name = 'turn'): MessageLine[] {
  return Array.from({ length: count }, (_unused, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `${name} ${String(index + 1)}`,
  }));
}

/** A text conversation with two messages, and whatever fields are given. */
export function talk(id: string, fields: Readonly<Record<string, unknown>> = {}): ConversationLine {
  return { source: 'shop', id, modality: 'text', messages: turns(2, id), ...fields };
}

/** Conversations `talk-0` and so on of 1 to 40 messages, 20 on average, of 25 users. */
export function inventConversations(count: number): ConversationLine[] {
  return Array.from({ length: count }, (_unused, index) => {
    const id = `talk-${String(index)}`;
    return talk(id, {
      participants: { user: `user-${String(index % 25)}` },
      messages: turns(1 + ((index * 7) % 40), id),
    });
  });
}

/** How many messages each conversation has, by its external id. */
export function lengthsOf(conversations: readonly ConversationLine[]): Map<string, number> {
  return new Map(conversations.map(({ source, id, messages }) => [`${source}:${id}`, messages.length]));
}
