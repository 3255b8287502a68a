import type { EntityClass } from '@mikro-orm/core';

/** Which states may follow each state; one always may follow itself. A state that none follows is final. */
export type StateMachine<State extends string> = { readonly [Name in State]: readonly State[] };

const MACHINES = new Map<unknown, { readonly property: string; readonly machine: StateMachine<string> }>();

/** The property holds the state of its entity, which changes as the machine says, whatever way the row is written. */
export function FollowsStates<State extends string>(machine: StateMachine<State>): PropertyDecorator {
  return (target, property) => void MACHINES.set(target.constructor, { property: String(property), machine });
}

/** The property that holds an entity's state, and the machine that it follows; undefined where there is none. */
export function statesOf(entity: EntityClass<object>) {
  return MACHINES.get(entity);
}

export function mayFollow(machine: StateMachine<string>, from: string, to: string): boolean {
  return from === to || (machine[from] ?? []).includes(to);
}

/** Whether a row of the entity may come from one state into another. */
export function canFollow(entity: EntityClass<object>, from: string, to: string): boolean {
  const states = statesOf(entity);
  return states !== undefined && mayFollow(states.machine, from, to);
}

/** Whether every state may follow every other, so that nobody need know which one a row is in. */
export function isFree(machine: StateMachine<string>): boolean {
  const states = Object.keys(machine);
  return states.every((from) => states.every((to) => mayFollow(machine, from, to)));
}
