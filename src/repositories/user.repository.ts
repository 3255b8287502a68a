import type { SqlEntityManager } from '@mikro-orm/sql';
import { User } from '../entities/user.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class UserRepository extends ExternallyKeyedRepository<User> {
  constructor(em: SqlEntityManager) {
    super(em, User);
  }
}
