import { Faker, en } from '@faker-js/faker';
import { createIdSource, type Sources } from '../runtime.js';

/** The instant at which every seeded story begins. */
const BEGINNING = Date.UTC(2026, 0, 5, 9, 0, 0);

/** Invented data and the sources under it, all from one number: the same seed gives the same rows, ids and times included. */
export interface SeededSources extends Sources {
  readonly faker: Faker;
}

/** The clock moves by one second to half an hour whenever it is read. */
export function createSeededSources(seed: number): SeededSources {
  const faker = new Faker({ locale: en, seed });
  let now = BEGINNING;
  const clock = { now: () => new Date((now += faker.number.int({ min: 1_000, max: 1_800_000 }))) };
  const random = {
    bytes: (length: number) => Uint8Array.from({ length }, () => faker.number.int({ min: 0, max: 255 })),
  };
  return { faker, clock, random, ids: createIdSource(clock, random) };
}
