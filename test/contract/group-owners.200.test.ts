import { describe, expect, it } from 'vitest'
import { placeOf, upTo, type Caller } from '../support/group-calls.ts'
import { useGroupsOnNodes } from '../support/use-groups.ts'

const each = useGroupsOnNodes()

const PARTITIONS = 4
const MEMBERS = 4
const ROUNDS = 25

/** Who was given what: by place and offset, each member's name and generation. */
class Given {
  readonly #by = new Map<string, { member: string; generation: number }>()
  readonly problems: string[] = []

  has(place: string): boolean {
    return this.#by.has(place)
  }

  note(place: string, member: string, generation: number): void {
    const before = this.#by.get(place)
    if (before && before.generation === generation && before.member !== member) {
      this.problems.push(`${place}: ${before.member} and ${member} in ${String(generation)}`)
    }
    this.#by.set(place, { member, generation })
  }
}

/** Reads, commits what it was given if it still may, and leaves; again and again. */
async function comeAndGo(name: string, n: number, given: Given): Promise<void> {
  const calls = () => each[(n + turns++) % 2]!
  let turns = 0
  for (let round = 0; round < ROUNDS; round++) {
    const me: Caller = await calls().join(name, name, { member_id: `m${String(n)}` })
    for (let k = 0; k < 1 + ((n + round) % 3); k++) {
      const polled = await calls().poll(me, { max_records: 4 })
      const { generation_id } = polled
      for (const one of polled.records) {
        given.note(`${placeOf(one)}:${String(one.offset)}`, me.member_id, generation_id)
      }
      if (polled.records.length === 0) continue
      const answer = await calls().tryCommit({ ...me, generation_id }, polled.positions)
      expect([200, 409]).toContain(answer.status)
    }
    if ((n + round) % 2 === 0) await calls().leave(me)
  }
}

describe('members that come and go all the time', () => {
  it('are never two owners of a partition in one generation, and none skips a record', async () => {
    const [calls] = each
    const count = 400
    await calls.topic('owned', ...upTo(PARTITIONS).map(() => upTo(count)))
    const given = new Given()
    await Promise.all(upTo(MEMBERS).map((n) => comeAndGo('owned', n, given)))
    expect(given.problems).toEqual([])
    for (const one of (await calls.describe('owned')).partitions) {
      expect(one.committed ?? 0).toBeLessThanOrEqual(count)
      const processed = upTo(one.committed ?? 0).map(
        (offset) => `${placeOf(one)}:${String(offset)}`,
      )
      expect(processed.filter((place) => !given.has(place))).toEqual([])
    }
  })
})
