import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** How long something took, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What became of the reads of one kind of values since the cache was made. */
export interface RegionStatistics {
  /** Answered by this process's memory, and by tier two; a value of memory that tier two has confirmed is one of memory. */
  readonly hits: { readonly local: number; readonly shared: number };
  readonly misses: number;
  readonly loads: number;
  readonly failedLoads: number;
  /** Reads that waited for another's load, in this process or in another. */
  readonly waits: number;
  readonly staleServes: number;
  /** Calls of tier two that failed or got no answer. */
  readonly errors: number;
  /** Entries of tier two that nobody here could have written. */
  readonly foreignEntries: number;
  /** Entries that went because there was no room. */
  readonly evictions: number;
  readonly entries: number;
  readonly bytes: number;
  /** Of looking into tier two, and of loads. */
  readonly latency: { readonly shared: Latency; readonly load: Latency };
}

type Counter = Exclude<keyof RegionStatistics, 'hits' | 'latency' | 'evictions' | 'entries' | 'bytes'>;

/** Counts what becomes of reads. */
export class RegionCounters implements Record<Counter, number> {
  localHits = 0;
  sharedHits = 0;
  misses = 0;
  loads = 0;
  failedLoads = 0;
  waits = 0;
  staleServes = 0;
  errors = 0;
  foreignEntries = 0;
  readonly shared = createHistogram();
  readonly load = createHistogram();

  statistics(local: Pick<RegionStatistics, 'evictions' | 'entries' | 'bytes'>): RegionStatistics {
    const { misses, loads, failedLoads, waits, staleServes, errors, foreignEntries } = this;
    return {
      hits: { local: this.localHits, shared: this.sharedHits },
      misses,
      loads,
      failedLoads,
      waits,
      staleServes,
      errors,
      foreignEntries,
      ...local,
      latency: { shared: latencyOf(this.shared), load: latencyOf(this.load) },
    };
  }
}

/** Records so many milliseconds. */
export function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.max(1, Math.round(milliseconds * 1_000_000)));
}

function latencyOf(histogram: RecordableHistogram): Latency {
  if (histogram.count === 0) return { count: 0, mean: 0, p50: 0, p99: 0, max: 0 };
  return {
    count: histogram.count,
    mean: inMilliseconds(histogram.mean),
    p50: inMilliseconds(histogram.percentile(50)),
    p99: inMilliseconds(histogram.percentile(99)),
    max: inMilliseconds(histogram.max),
  };
}

function inMilliseconds(nanoseconds: number): number {
  return Number((nanoseconds / 1_000_000).toFixed(3));
}
