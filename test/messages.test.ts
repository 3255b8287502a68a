import { getMetadataStorage } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { entities } from '../src/entities/index.js';
import {
  type ColloquyError,
  ConfigurationError,
  NotFoundError,
  PersistenceClosedError,
  ValidationError,
  VersionConflictError,
} from '../src/errors.js';
import { type Language, RULE_NAMES } from '../src/messages/catalog.js';
import { PersistenceManager } from '../src/services/persistence-manager.js';
import { colloquy } from './support/command-line.js';
import { openAcme } from './support/open-manager.js';
import { rejectionOf } from './support/rejection.js';
import { temporaryUrl } from './support/temporary-folder.js';

const CHINESE = /\p{Script=Han}/u;

describe('every rule of every entity', () => {
  const rules = entities.flatMap((entity) =>
    getMetadataStorage()
      .getTargetValidationMetadatas(entity, '', true, false)
      .filter(({ type }) => type !== 'conditionalValidation')
      .flatMap(
        (rule) => rule.name ?? getMetadataStorage().getTargetValidatorConstraints(rule.constraintCls)[0]?.name ?? '',
      ),
  );

  it.each([...new Set(rules)])('has a message: %s', (rule) => {
    expect(RULE_NAMES).toContain(rule);
  });
});

describe('an error', () => {
  it('is a problem document (RFC 9457), with its own fields beside', () => {
    expect(JSON.parse(JSON.stringify(new NotFoundError('user', 'u-1')))).toEqual({
      type: 'urn:colloquy:error:not-found',
      title: 'Not found',
      status: 404,
      detail: 'There is no user "u-1" here. Check the identifier, and that it belongs to this tenant.',
      code: 'NOT_FOUND',
      entity: 'user',
      key: 'u-1',
    });
  });

  it.each<ColloquyError>([
    new NotFoundError('user', 'u-1'),
    new VersionConflictError('User', 'u-1', 3),
    new PersistenceClosedError(),
  ])('speaks the language that it is told, and English again: $code', (error) => {
    const english = error.message;
    expect(english).not.toMatch(CHINESE);
    const chinese = error.localize('zh').message;
    expect(chinese).toMatch(CHINESE);
    expect(error.toJSON().detail).toBe(chinese);
    expect(error.localize('en').message).toBe(english);
  });
});

describe('a manager whose language is Chinese', () => {
  it('says in Chinese what is broken, rule by rule, and keeps identifiers', async () => {
    const url = temporaryUrl();
    await openAcme({ url });
    await using persistence = await PersistenceManager.open({ databaseUrl: url, language: 'zh' });
    const acme = persistence.tenant('acme');
    const error = await rejectionOf(
      acme.users.create({ externalId: '', username: 'x', email: 'nobody' }),
      ValidationError,
    );
    expect(error.message).toBe(
      'User 无效：externalId 必须是 1 到 255 个字符，不含控制字符，首尾没有空白；email 必须是电子邮件地址。',
    );
    expect(error.issues.map(({ path, rule, kind }) => [path, rule, kind])).toEqual([
      ['externalId', 'isExternalId', 'string of 0'],
      ['email', 'isEmail', 'string of 6'],
    ]);
    expect((await rejectionOf(acme.users.getByExternalId('u-9'), NotFoundError)).message).toMatch(
      /^这里没有 user "u-9"/,
    );
  });

  it('is what COLLOQUY_LANGUAGE makes of the command line', async () => {
    const { code, stderr } = await colloquy(['history', 'nothing', '--tenant', 'nobody'], {
      url: temporaryUrl(),
      env: { COLLOQUY_LANGUAGE: 'zh' },
    });
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^colloquy: 这里没有 tenant "nobody"/)]);
  });

  it('is refused when it is none that errors speak, with every other wrong setting', async () => {
    const open = PersistenceManager.open({ databaseUrl: '', language: 'la' as Language });
    const { problems } = await rejectionOf(open, ConfigurationError);
    expect(problems).toEqual([
      expect.stringMatching(/^databaseUrl must be a URL/),
      'COLLOQUY_LANGUAGE must be one of en, zh',
    ]);
  });
});
