import { registerDecorator } from 'class-validator';

/** What a tenant can be limited in; a month is one of UTC. */
export const QUOTAS = ['users', 'conversations', 'messagesPerMonth', 'tokensPerMonth', 'storageBytes'] as const;
export type QuotaName = (typeof QUOTAS)[number];

/**
 * The most that a tenant may have: users and conversations that there are, messages and their tokens that were accepted in the
 * running month, and bytes (UTF-8) in the texts of its documents. What is not named is not limited.
 */
export type TenantQuota = { readonly [Name in QuotaName]?: number };

/** An object of some of {@link QUOTAS}, each a whole number from 0. */
export function IsQuota(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isQuota',
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [[...QUOTAS]],
      validator: { validate: isQuota },
    });
  };
}

function isQuota(value: unknown): value is TenantQuota {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(
    ([name, limit]) =>
      (QUOTAS as readonly string[]).includes(name) && Number.isSafeInteger(limit) && Number(limit) >= 0,
  );
}
