/** A comparison of two rates, taken in turns in one run so that the machine's moods hit both. */
export interface Comparison {
  name: string
  ratio: number
  reach: number
  ours: number
  theirs: number
  unit: string
  against: string
}

export interface Contest {
  name: string
  reach: number
  unit: string
  against: string
  ours: () => Promise<number>
  theirs: () => Promise<number>
}

/** One measured number. `reach` is the most it may be; without one it is only told. */
export interface Figure {
  name: string
  value: number
  reach?: number
  unit: string
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** V8 needs some ten seconds of load until the server's hot path is compiled for good. */
const WARM_UPS = 3

/** Warm-ups in turns, then alternating rounds; the ratio is the median of the rounds' ratios. */
export async function compare(contest: Contest, rounds: number): Promise<Comparison> {
  for (let round = 0; round < WARM_UPS; round++) {
    await contest.ours()
    await contest.theirs()
  }
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`\r${contest.name}: round ${String(round + 1)} of ${String(rounds)} `)
    ours.push(await contest.ours())
    theirs.push(await contest.theirs())
  }
  process.stderr.write('\r\x1b[K')
  const { name, reach, unit, against } = contest
  const ratio = median(ours.map((rate, index) => rate / (theirs[index] ?? 1)))
  return { name, ratio, reach, ours: median(ours), theirs: median(theirs), unit, against }
}
