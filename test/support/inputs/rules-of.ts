import { getMetadataStorage } from 'class-validator';
import type { entities } from '../../../src/entities/index.js';

export type AnyEntity = (typeof entities)[number];

/** A rule of a property, as class-validator knows it. */
export interface PropertyRule {
  readonly entity: AnyEntity;
  readonly property: string;
  readonly rule: string;
  readonly constraints: readonly unknown[];
  /** Whether the property may be null. */
  readonly isOptional: boolean;
}

/** Every rule of every entity: a new property, or a new rule, is generated for by itself. */
export function rulesOf(entity: AnyEntity): PropertyRule[] {
  const storage = getMetadataStorage();
  const metadata = storage.getTargetValidationMetadatas(entity, '', true, false);
  const optional = new Set(
    metadata.filter(({ type }) => type === 'conditionalValidation').map(({ propertyName }) => propertyName),
  );
  return metadata
    .filter(({ type }) => type !== 'conditionalValidation')
    .map((rule) => ({
      entity,
      property: rule.propertyName,
      rule: rule.name ?? storage.getTargetValidatorConstraints(rule.constraintCls)[0]?.name ?? '',
      constraints: (rule.constraints ?? []) as unknown[],
      isOptional: optional.has(rule.propertyName),
    }));
}
