/** The records of the bench: about 110 bytes each, as a small web shop might log. */

export interface BenchRecord {
  key: string
  value: Record<string, unknown>
}

export function benchRecord(number: number): BenchRecord {
  const user = `user-${String(number % 5000)}`
  const value = {
    order: number,
    amount: (number * 37) % 1000,
    status: 'paid',
    city: 'Reykjavik',
    ok: true,
  }
  return { key: user, value }
}

export function benchRecords(count: number): BenchRecord[] {
  return Array.from({ length: count }, (_, number) => benchRecord(1_000_000 + number))
}

/** The records as rows of COPY's text format: key, value. */
export function asCopyRows(records: readonly BenchRecord[]): Buffer {
  return Buffer.from(records.map(({ key, value }) => `${key}\t${JSON.stringify(value)}\n`).join(''))
}
