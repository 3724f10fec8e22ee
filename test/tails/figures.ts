/** Figures of a proof, for people. */

/** The value that this share of them does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}

/** `p50 1.2 ms, p99 8.0 ms, max 20.3 ms` */
export function latencies(ms: readonly number[]): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(ms, q).toFixed(1))
  return `p50 ${String(p50)} ms, p99 ${String(p99)} ms, max ${String(max)} ms`
}

export const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`
