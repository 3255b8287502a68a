import { type EntityClass, Utils } from '@mikro-orm/core';
import { getMetadataStorage, type ValidationArguments, type ValidatorConstraintInterface } from 'class-validator';
import { ValidationError, type ValidationIssue } from '../errors.js';
import { brokenRule } from '../messages/broken-rule.js';

type Candidate = Readonly<Record<string, unknown>>;

interface Check {
  readonly rule: string;
  readonly each: boolean;
  readonly constraints: unknown[];
  /** The constraints that a message can tell. */
  readonly told: readonly unknown[];
  readonly constraint: ValidatorConstraintInterface;
}

interface PropertyRules {
  readonly property: string;
  /** Tells whether the rules apply to this value; it is how class-validator writes `@IsOptional()`. */
  readonly applies: readonly ((object: unknown, value: unknown) => boolean)[];
  readonly checks: readonly Check[];
}

/** What a rule is told of the value that it judges. */
type JudgedValue = { -readonly [Key in keyof ValidationArguments]: ValidationArguments[Key] };

const NONE: unknown[] = [];

/**
 * The rules of one entity, compiled once from its class-validator decorators, so that an entity and a plain row on a hot path are
 * judged by the same functions. class-validator's own `validate` regroups all metadata at every call, which costs more than
 * storing the row.
 */
export class RuleSet {
  readonly #entity: EntityClass<object>;
  readonly #properties: readonly PropertyRules[];
  readonly #judge: (candidate: object, args: JudgedValue) => boolean;
  /** Properties that a rule compares, each pair in both directions. */
  readonly #compared: readonly (readonly [property: string, other: string])[];

  constructor(entity: EntityClass<object>) {
    this.#entity = entity;
    const storage = getMetadataStorage();
    const metadata = storage.getTargetValidationMetadatas(entity, '', true, false);
    this.#properties = Object.entries(storage.groupByPropertyName(metadata)).map(([property, rules]) => ({
      property,
      applies: rules
        .filter((rule) => rule.type === 'conditionalValidation')
        .map((rule) => rule.constraints[0] as (object: unknown, value: unknown) => boolean),
      checks: rules
        .filter((rule) => rule.type !== 'conditionalValidation')
        .flatMap((rule) =>
          storage.getTargetValidatorConstraints(rule.constraintCls).map((constraint) => ({
            rule: rule.name ?? constraint.name,
            each: rule.each,
            constraints: rule.constraints ?? [],
            told: (rule.constraints ?? []).filter(isPlain),
            constraint: constraint.instance,
          })),
        ),
    }));
    this.#judge = judgeOf(this.#properties);
    const names = new Set(this.#properties.map(({ property }) => property));
    this.#compared = this.#properties.flatMap(({ property, checks }) =>
      checks
        .flatMap(({ constraints }) => constraints)
        .filter((other): other is string => typeof other === 'string' && names.has(other))
        .flatMap((other): [string, string][] => [
          [property, other],
          [other, property],
        ]),
    );
  }

  /** Every broken rule of the candidate; `only` limits the check to these properties, `path` is put before their names. */
  issues(candidate: object, only?: ReadonlySet<string>, path = ''): ValidationIssue[] {
    const issues: ValidationIssue[] = [];
    if (!only && this.#keepsAll(candidate)) return issues;
    const { name: targetName } = this.#entity;
    for (const { property, applies, checks } of this.#properties) {
      if (only && !only.has(property)) continue;
      const value = (candidate as Candidate)[property];
      if (!isAsked(applies, candidate, value)) continue;
      const args = { value, constraints: NONE, targetName, object: candidate, property };
      for (const check of checks) {
        args.constraints = check.constraints;
        if (passes(check, value, args)) continue;
        issues.push(brokenRule(path + property, check.rule, value, check.told));
      }
    }
    return issues;
  }

  /** Whether a candidate keeps all rules, as most do, in one go; what it breaks otherwise it does not tell. */
  #keepsAll(candidate: object): boolean {
    const { name: targetName } = this.#entity;
    const args: JudgedValue = { value: undefined, constraints: NONE, targetName, object: candidate, property: '' };
    try {
      return this.#judge(candidate, args);
    } catch {
      return false;
    }
  }

  /** What cannot be judged when these properties change: each that a rule compares with one that is not at hand. */
  issuesOfLacking(changed: ReadonlySet<string>, atHand: ReadonlySet<string>): ValidationIssue[] {
    return this.#compared
      .filter(([property, other]) => changed.has(property) && !atHand.has(other))
      .map(([path, other]) => brokenRule(path, 'together', undefined, [other]));
  }

  /** @throws ValidationError with every broken rule. */
  assert(candidate: object, only?: ReadonlySet<string>): void {
    const issues = this.issues(candidate, only);
    if (issues.length > 0) throw new ValidationError(this.#entity.name, issues);
  }
}

/**
 * Makes a function that tells whether a candidate keeps all rules. Its code names each property and each rule, as that of MikroORM's
 * hydrators does, so that the engine can put them into one another: a loop over them takes twice as long.
 */
function judgeOf(properties: readonly PropertyRules[]): (candidate: object, args: JudgedValue) => boolean {
  const context = new Map<string, unknown>();
  const name = (value: unknown): string => {
    const given = `c${String(context.size)}`;
    context.set(given, value);
    return given;
  };
  const lines = properties.flatMap(({ property, applies, checks }) => {
    const key = JSON.stringify(property);
    const asked = applies.map((condition) => `${name(condition)}(candidate, value)`);
    const kept = checks.map(({ each, constraints, constraint }) => {
      if (each) return 'return false;';
      return `args.constraints = ${name(constraints)}; if (${name(constraint)}.validate(value, args) !== true) return false;`;
    });
    const judged = `args.value = value; args.property = ${key}; ${kept.join(' ')}`;
    return [`value = candidate[${key}];`, asked.length > 0 ? `if (${asked.join(' && ')}) { ${judged} }` : judged];
  });
  const code = `return (candidate, args) => { let value; ${lines.join(' ')} return true; };`;
  return Utils.createFunction(context, code) as ReturnType<typeof judgeOf>;
}

/** The rules of every entity, each compiled when it is first asked for. */
export class RuleBook {
  readonly #sets = new Map<EntityClass<object>, RuleSet>();

  of(entity: EntityClass<object>): RuleSet {
    let rules = this.#sets.get(entity);
    if (!rules) this.#sets.set(entity, (rules = new RuleSet(entity)));
    return rules;
  }
}

function isAsked(applies: PropertyRules['applies'], candidate: object, value: unknown): boolean {
  for (const condition of applies) if (!condition(candidate, value)) return false;
  return true;
}

function passes(check: Check, value: unknown, args: ValidationArguments): boolean {
  if (!check.each) return holds(check, value, args);
  return Array.isArray(value) && value.every((item) => holds(check, item, args));
}

function holds({ constraint }: Check, value: unknown, args: ValidationArguments): boolean {
  try {
    return constraint.validate(value, args) === true;
  } catch {
    // Some of class-validator's rules throw where they meet what they do not expect, such as a lone surrogate.
    return false;
  }
}

/** Limits and lists of names; options of class-validator's own rules are nothing for people. */
function isPlain(constraint: unknown): boolean {
  return typeof constraint === 'number' || typeof constraint === 'string' || Array.isArray(constraint);
}
