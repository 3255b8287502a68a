import type { ArchivedVoiceSession } from './archive.js';
import {
  defined,
  metadataOf,
  optionalChoice,
  optionalInstant,
  optionalNumber,
  optionalObject,
  requiredKey,
  toObject,
} from './fields.js';
import { Rejection } from './rejection.js';

const FIELDS = new Set([
  'externalId',
  'status',
  'startTime',
  'endTime',
  'durationSeconds',
  'audioDurationSeconds',
  'config',
]);

/** @throws Rejection */
export function readVoiceSession(value: unknown, subject: string): ArchivedVoiceSession {
  const fields = toObject(value, subject);
  const status = optionalChoice(fields, 'status', ['active', 'completed', 'failed', 'cancelled'], subject);
  if (status === undefined) throw new Rejection(`${subject} has no "status"`);
  const startTime = optionalInstant(fields, 'startTime', subject);
  if (startTime === undefined) throw new Rejection(`${subject} has no "startTime"`);
  const endTime = optionalInstant(fields, 'endTime', subject);
  if (endTime !== undefined && Date.parse(endTime) < Date.parse(startTime)) {
    throw new Rejection(`${subject} has an "endTime" before its "startTime"`);
  }
  return defined<ArchivedVoiceSession>({
    externalId: requiredKey(fields, 'externalId', subject),
    status,
    startTime,
    endTime,
    durationSeconds: optionalNumber(fields, 'durationSeconds', subject),
    audioDurationSeconds: optionalNumber(fields, 'audioDurationSeconds', subject),
    config: optionalObject(fields, 'config', subject),
    metadata: metadataOf(fields, FIELDS, subject),
  });
}
