import { ARCHIVE_PROBES } from './archive-probes.js';
import { LIMIT_PROBES } from './limit-probes.js';
import { NATIVE_PROBES } from './native-probes.js';
import { ORM_READ_PROBES } from './orm-read-probes.js';
import { ORM_WRITE_PROBES } from './orm-write-probes.js';
import type { Probe } from './probe.js';
import { QUOTA_PROBES } from './quota-probes.js';
import { SERVICE_PROBES } from './service-probes.js';
import { SQL_PROBES } from './sql-probes.js';

/** Every way to reach another tenant's rows that is tried, by what it is a way of. A new one is a line in one of these lists. */
export const PROBES: Readonly<Record<string, readonly Probe[]>> = {
  'by the services': SERVICE_PROBES,
  'by queries of the ORM': ORM_READ_PROBES,
  'by SQL': SQL_PROBES,
  'by a flush of the ORM': ORM_WRITE_PROBES,
  'by statements beside the unit of work': NATIVE_PROBES,
  'by the limit of the unit of work': LIMIT_PROBES,
  'by archives': ARCHIVE_PROBES,
  'by quotas': QUOTA_PROBES,
};

export const PROBE_COUNT = Object.values(PROBES).flat().length;
