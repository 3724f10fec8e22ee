import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ReadingTurns } from '../../src/broker/reading-turns.ts'

/** Bodies that wait, and the order in which their turns came. */
function waiting(turns: ReadingTurns, ...bodies: string[]): string[] {
  const read: string[] = []
  for (const body of bodies) void turns.next(body.length).then(() => read.push(body))
  return read
}

describe('bodies that wait to be read', () => {
  it('are read in order, one a turn of the event loop', async () => {
    const read = waiting(new ReadingTurns(), 'a', 'b', 'c')
    expect(read).toEqual([])
    const counts: number[] = []
    while (read.length < 3) {
      await nextTurn()
      counts.push(read.length)
    }
    expect(read).toEqual(['a', 'b', 'c'])
    expect(counts.filter((count, k) => count > (counts[k - 1] ?? 0) + 1)).toEqual([])
  })

  it('wait while a flush is being sent, and go on when it is sent', async () => {
    const turns = new ReadingTurns()
    const sent = turns.hold()
    const read = waiting(turns, 'a', 'b')
    for (let k = 0; k < 5; k++) await nextTurn()
    expect(read).toEqual([])
    sent()
    sent()
    while (read.length < 2) await nextTurn()
    expect(read).toEqual(['a', 'b'])
  })

  it('stop in the middle when a flush begins', async () => {
    const turns = new ReadingTurns()
    const read = waiting(turns, 'a', 'b', 'c')
    while (read.length === 0) await nextTurn()
    const seen = read.length
    const sent = turns.hold()
    for (let k = 0; k < 5; k++) await nextTurn()
    expect(read.length).toBe(seen)
    sent()
    while (read.length < 3) await nextTurn()
  })

  it('are counted in bytes until their turn comes', async () => {
    const turns = new ReadingTurns()
    const read = waiting(turns, 'four', 'ten bytes.')
    expect(turns.bytes).toBe(14)
    while (read.length < 2) await nextTurn()
    expect(turns.bytes).toBe(0)
  })
})
