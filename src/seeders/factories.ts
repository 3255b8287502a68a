import type { EntityData, EntityManager, Ref } from '@mikro-orm/core';
import { Factory } from '@mikro-orm/seeder';
import { Conversation } from '../entities/conversation.js';
import { Message } from '../entities/message.js';
import { Tenant, TENANT_PLANS } from '../entities/tenant.js';
import { User } from '../entities/user.js';
import type { SeededSources } from './seeded-sources.js';

/** A factory whose rows come from a seed alone: ids and times too, which an entity otherwise takes from the ORM's own sources. */
abstract class SeededFactory<Entity extends object> extends Factory<Entity> {
  protected readonly sources: SeededSources;

  constructor(em: EntityManager, sources: SeededSources) {
    super(em);
    this.sources = sources;
  }

  protected head(): { id: string; createdAt: Date; updatedAt: Date } {
    const now = this.sources.clock.now();
    return { id: this.sources.ids.next(), createdAt: now, updatedAt: now };
  }
}

export class TenantFactory extends SeededFactory<Tenant> {
  readonly model = Tenant;

  protected definition(): EntityData<Tenant> {
    const { faker } = this.sources;
    return { ...this.head(), name: faker.company.name(), plan: faker.helpers.arrayElement(TENANT_PLANS) };
  }
}

export class UserFactory extends SeededFactory<User> {
  readonly model = User;

  protected definition(): EntityData<User> {
    const { faker } = this.sources;
    const [firstName, lastName] = [faker.person.firstName(), faker.person.lastName()];
    const head = this.head();
    return {
      ...head,
      externalId: `seed-${head.id}`,
      username: faker.internet.username({ firstName, lastName }),
      nickname: firstName,
      email: faker.internet.email({ firstName, lastName, provider: 'example.com' }).toLowerCase(),
      phone: `+1415555${String(faker.number.int({ min: 100, max: 199 })).padStart(4, '0')}`,
    };
  }
}

export class ConversationFactory extends SeededFactory<Conversation> {
  readonly model = Conversation;

  protected definition(): EntityData<Conversation> {
    return { ...this.head(), title: this.sources.faker.lorem.sentence({ min: 2, max: 6 }) };
  }
}

export class MessageFactory extends SeededFactory<Message> {
  readonly model = Message;

  protected definition(input?: EntityData<Message>): EntityData<Message> {
    const { faker } = this.sources;
    const seq = Number(input?.seq ?? 1);
    const content = faker.lorem.sentences({ min: 1, max: 4 });
    return {
      ...this.head(),
      role: seq % 2 === 1 ? 'user' : 'assistant',
      content,
      // About four characters a token, as language models count English.
      tokenCount: Math.ceil(content.length / 4),
      ...input,
    };
  }

  /** `count` messages of a conversation, from sequence number 1, whose counters it sets. */
  converse(conversation: Ref<Conversation>, count: number): void {
    const messages = Array.from({ length: count }, (_unused, index) => this.makeOne({ conversation, seq: index + 1 }));
    const entity = conversation.unwrap();
    entity.messageCount = messages.length;
    entity.tokenCount = messages.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    entity.lastMessageAt = messages.at(-1)?.createdAt ?? null;
  }
}
