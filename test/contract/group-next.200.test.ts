import { describe, expect, it } from 'vitest'
import { LONG, placeOf, upTo, valuesOf, type Nexted } from '../support/group-calls.ts'
import { useGroupsOnNodes } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const each = useGroupsOnNodes()
const [groups] = each
let turn = 0
/** The next node: it makes no difference which. */
const any = () => each[turn++ % each.length]!

/** Reads until there is nothing more, and acknowledges that too. */
async function drain(name: string, max_records: number) {
  const values: unknown[] = []
  let last = await any().next(name, name, { max_records })
  while (last.records.length > 0) {
    values.push(...valuesOf(last))
    last = await any().next(name, name, { ack: last.ack, max_records })
  }
  return values
}

/** Calls with the last answer's ack until something comes. */
async function some(name: string, last: Nexted): Promise<Nexted> {
  const next = await any().next(name, name, { ack: last.ack, max_wait_ms: 1_000 })
  return next.records.length > 0 ? next : some(name, next)
}

describe('next', () => {
  it('in a loop with the last ack has each record once, and commits all', async () => {
    await groups.topic('loop', upTo(25), upTo(50, 25))
    expect((await drain('loop', 7)).sort((a, b) => Number(a) - Number(b))).toEqual(upTo(50))
    expect(await groups.committed('loop')).toEqual({ 'loop/0': 25, 'loop/1': 25 })
  })

  it('joins by itself, and says who the caller is and how long it may take', async () => {
    await groups.topic('joins', ['a'])
    const first = await any().next('joins', 'joins', { ack: null, lease_ms: 5_000 })
    expect(first).toMatchObject({ group: 'joins', lease_ms: 5_000, records: [{ value: 'a' }] })
    const { members } = await groups.describe('joins')
    expect(members).toMatchObject([{ member_id: first.member_id, session_timeout_ms: 5_000 }])
    const { member_id } = await any().next('joins', 'joins', { ack: first.ack })
    expect(member_id).toBe(first.member_id)
  })

  it('waits for a record, wherever it is produced', async () => {
    await groups.topic('waits', [])
    const empty = await any().next('waits', 'waits')
    expect(empty.records).toEqual([])
    const waiting = groups.next('waits', 'waits', { ack: empty.ack, max_wait_ms: LONG })
    await each[1].produce('waits', [{ value: 'news' }])
    expect(valuesOf(await waiting)).toEqual(['news'])
  })

  it('with the same ack twice brings the same again, and skips nothing', async () => {
    await groups.topic('twice', upTo(6))
    const first = await any().next('twice', 'twice', { max_records: 2 })
    const body = { ack: first.ack, max_records: 2 }
    expect(valuesOf(await any().next('twice', 'twice', body))).toEqual([2, 3])
    const again = await any().next('twice', 'twice', body)
    expect(valuesOf(again)).toEqual([2, 3])
    expect(await groups.committed('twice')).toEqual({ 'twice/0': 2 })
    const last = { ack: again.ack, max_records: 2 }
    expect(valuesOf(await any().next('twice', 'twice', last))).toEqual([4, 5])
  })

  it.each([
    ['without an ack', {}],
    ['with an ack of null', { ack: null }],
  ])('under a name of its own %s brings what it did not acknowledge', async (how, body) => {
    const name = await groups.topic(how.replaceAll(' ', '-'), upTo(4))
    const me = { member_id: 'me', max_records: 2 }
    await any().next(name, name, me)
    const again = await any().next(name, name, { ...me, ...body })
    expect(valuesOf(again)).toEqual([0, 1])
    const { records } = await any().next(name, name, { ...me, ack: again.ack })
    expect(records).toMatchObject([{ value: 2 }, { value: 3 }])
  })

  it('by two callers shares the partitions', async () => {
    await groups.topic('shared', upTo(5), upTo(5), upTo(5), upTo(5))
    const one = await any().next('shared', 'shared', { max_records: 1 })
    const two = await any().next('shared', 'shared', { max_records: 1 })
    const owners = async () => Object.values(await groups.owners('shared'))
    let last = [one, two]
    await until(async () => {
      last = await Promise.all(
        last.map(({ ack }) => any().next('shared', 'shared', { ack, max_records: 1 })),
      )
      const all = await owners()
      return all.filter((id) => id === two.member_id).length === 2
    })
    expect((await owners()).filter((id) => id === one.member_id)).toHaveLength(2)
  })

  it('by a caller that stops gives its partitions to others when its lease is over', async () => {
    await groups.topic('stops', ['a', 'b'], ['c', 'd'])
    const stops = await any().next('stops', 'stops', { lease_ms: 1_000 })
    expect(stops.records).toHaveLength(4)
    let last = await any().next('stops', 'stops')
    const values = valuesOf(last)
    while (values.length < 4) {
      last = await some('stops', last)
      values.push(...valuesOf(last))
    }
    expect(values.sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('takes records of several topics, each with its place', async () => {
    await groups.topic('many-a', ['a'])
    await groups.topic('many-b', [], ['b'])
    const { records } = await any().next('many', ['many-a', 'many-b'])
    expect(records.map(placeOf).sort()).toEqual(['many-a/0', 'many-b/1'])
  })

  it('begins where it is told to', async () => {
    await groups.topic('latest', ['old'])
    const first = await any().next('latest', 'latest', { auto_offset_reset: 'latest' })
    expect(first.records).toEqual([])
    await groups.produce('latest', [{ value: 'new' }])
    expect(valuesOf(await any().next('latest', 'latest', { ack: first.ack }))).toEqual(['new'])
  })
})
