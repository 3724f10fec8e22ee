import { assignmentOf } from '../broker/groups/assignment.ts'
import type { Polled } from '../broker/groups/poll.ts'
import type { Assignment, GroupOffset } from '../contract/groups.ts'

/** Parts of what a poll gave, the same in an answer and on a WebSocket. */

/** Behind the records of each partition that had any. */
export function positionsOf({ pages }: Polled): GroupOffset[] {
  return pages.map(({ standing: { owned }, page }) => ({
    topic: owned.topic,
    partition: owned.partition,
    offset: page.next_offset,
  }))
}

/** A JSON array. Records are text already, and stay so. */
export function recordsText({ pages }: Polled): string {
  return `[${pages.map(({ page }) => page.text).join(',')}]`
}

/** Absent where nothing waits to go to others. */
export function revokedOf({ revoked }: Polled): { revoked?: Assignment } {
  return revoked.length > 0 ? { revoked: assignmentOf(revoked) } : {}
}
