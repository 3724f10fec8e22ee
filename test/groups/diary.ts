import type { Answered, Asked } from './group-calls.ts'
import type { CommitAttempt, Delivery, History, PartitionOffset } from './history.ts'

/** What a process writes into the history of what it asked for and was answered. */

export interface Writer {
  process: string
  member_id: string
  generation_id: number
}

/** Nothing else may ever be answered to a member. */
const EXPECTED = new Set([200, 201, 204, 404, 409, 416, 503])

export function noteAnswer(history: History, what: string, answer: Answered | undefined): void {
  if (!answer) history.counts.lost_answers++
  if (!answer || EXPECTED.has(answer.status)) return
  history.surprises.push(`${what}: ${JSON.stringify(answer).slice(0, 300)}`)
}

export function noteCommit(
  history: History,
  writer: Writer,
  commit: { offsets: readonly PartitionOffset[]; is_explicit: boolean },
  { answer, sent, answered }: Asked,
): CommitAttempt['outcome'] {
  const outcome = outcomeOf(answer)
  if (commit.offsets.length === 0) return outcome
  history.commits.push({
    ...writer,
    offsets: [...commit.offsets],
    is_explicit: commit.is_explicit,
    sent,
    answered: outcome === 'unknown' ? Infinity : answered,
    outcome,
    said: answer ? `${String(answer.status)} ${answer.body.detail ?? ''}` : '',
  })
  return outcome
}

function outcomeOf(answer: Answered | undefined): CommitAttempt['outcome'] {
  if (!answer) return 'unknown'
  if (answer.status < 300) return 'ok'
  if (answer.body.written !== 'no') return 'unknown'
  return answer.status === 409 || answer.status === 404 ? 'refused' : 'no'
}

/** Records of an answer that arrived; those of one partition follow each other without a gap. */
export function noteDeliveries(
  history: History,
  writer: Writer,
  { answer, sent, answered }: Asked,
): void {
  const found = new Map<number, Delivery>()
  for (const { partition, offset } of answer?.body.records ?? []) {
    const before = found.get(partition)
    if (before?.next === offset) before.next++
    else if (before) history.surprises.push(`${String(offset)} after ${String(before.next)}`)
    else {
      const place = { partition, first: offset, next: offset + 1, sent, answered }
      found.set(partition, { ...writer, ...place })
    }
  }
  history.deliveries.push(...found.values())
}
