import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { page } from '../repositories/read-plans.js';
import type { ChangeOptions } from '../repositories/tenant-owned.repository.js';
import { User, type UserRole, type UserStatus } from '../entities/user.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface UserInput {
  /** The caller's own key, unique within the tenant. */
  readonly externalId: string;
  readonly username: string;
  readonly nickname?: string | null;
  readonly email?: string | null;
  /** E.164, such as +14155550123. */
  readonly phone?: string | null;
  readonly metadata?: Record<string, unknown>;
  /** `user` unless given. */
  readonly role?: UserRole;
}

export interface UserChanges extends Partial<Omit<UserInput, 'externalId'>> {
  readonly status?: UserStatus;
}

const PROFILE = ['username', 'nickname', 'email', 'phone', 'metadata', 'role'] as const;
const SETTABLE = ['externalId', ...PROFILE] as const;
const CHANGEABLE = [...PROFILE, 'status'] as const;

export class UsersService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** @throws ValidationError, AlreadyExistsError when the external id is taken, IdempotencyConflictError. */
  async create(input: UserInput, options: CreateOptions = {}): Promise<Row<User>> {
    const call = { ...options, entity: User, operation: 'users.create', input };
    return this.#scope.create(call, async ({ em, users }) => {
      const user = users.createFrom(input, SETTABLE);
      await em.flush();
      return users.toRow(user);
    });
  }

  /** @throws NotFoundError when the tenant has no such user. */
  get(id: string): Promise<Row<User>> {
    return this.#scope.get(User, id);
  }

  /** @throws NotFoundError when the tenant has no such user. */
  getByExternalId(externalId: string): Promise<Row<User>> {
    return this.#scope.getBy(User, 'externalId', externalId);
  }

  /** Changes what is named in `changes` and leaves the rest. @throws VersionConflictError when it is not at `ifVersion` any more. */
  async update(id: string, changes: UserChanges, options: ChangeOptions = {}): Promise<Row<User>> {
    return this.#scope.write(({ users }) => users.change(id, changes, CHANGEABLE, options));
  }

  /** Users in the order in which they were made, the oldest first. */
  async list(request: PageRequest = {}): Promise<Page<Row<User>>> {
    return this.#scope.query(User, (table, tenantId) => page(table, tenantId, request));
  }
}
