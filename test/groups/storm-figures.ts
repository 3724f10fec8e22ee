import type { History, Testimony } from './history.ts'
import { lateCommits } from './owner-judgement.ts'

export type Figures = ReturnType<typeof figuresOf>

/** How much there was of what a storm is made of. */
export function figuresOf({ counts, processed, commits }: History, { partitions }: Testimony) {
  const records = new Set(processed.map(({ partition, offset }) => partition * 1e9 + offset)).size
  return {
    ...counts,
    records,
    redelivered: processed.length - records,
    generations: partitions.reduce((most, one) => Math.max(most, one.owner_generation), 0),
    commits: commits.filter(({ outcome }) => outcome === 'ok').length,
    unknown_commits: commits.filter(({ outcome }) => outcome === 'unknown').length,
    refused_commits: commits.filter(({ outcome }) => outcome === 'refused').length,
    /** The partition was lost already when they were sent. */
    late_commits: lateCommits(commits, partitions).length,
  }
}
