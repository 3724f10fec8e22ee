import { describe, expect, it } from 'vitest'
import { at, LONG, upTo, valuesOf } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const latest = { auto_offset_reset: 'latest' } as const

describe('a group without offsets that begins at the earliest', () => {
  it('reads all there is, unless told otherwise', async () => {
    await groups.topic('all', upTo(3))
    const me = await groups.join('all', 'all')
    expect(valuesOf(await groups.poll(me))).toEqual(upTo(3))
  })

  it('begins where the log does, and that is no truncation', async () => {
    await groups.topic('kept', upTo(6))
    await moveLogStart(groups.server, 'kept', 4)
    const me = await groups.join('kept', 'kept', { auto_offset_reset: 'earliest' })
    const polled = await groups.poll(me)
    expect(valuesOf(polled)).toEqual([4, 5])
    expect(polled).not.toHaveProperty('truncated')
  })
})

describe('a group without offsets that begins at the latest', () => {
  it('reads what is produced between its joining and its first poll', async () => {
    await groups.topic('between', ['old'], ['old'])
    const me = await groups.join('between', 'between', latest)
    await groups.produce('between', [
      { value: 'new', partition: 0 },
      { value: 'new', partition: 1 },
    ])
    expect(valuesOf(await groups.poll(me))).toEqual(['new', 'new'])
  })

  it('reads it too when it crashes before its first poll', async () => {
    await groups.topic('crash', ['old'])
    await groups.join('crash', 'crash', { ...latest, member_id: 'me' })
    await groups.produce('crash', [{ value: 'new' }])
    const again = await groups.join('crash', 'crash', { ...latest, member_id: 'me' })
    expect(valuesOf(await groups.poll(again))).toEqual(['new'])
  })

  it('reads it too where the partition has gone to another member meanwhile', async () => {
    await groups.topic('moved', ['old'], ['old'])
    await groups.join('moved', 'moved', latest)
    await groups.produce('moved', [
      { value: 'new', partition: 0 },
      { value: 'new', partition: 1 },
    ])
    const other = await groups.join('moved', 'moved', latest)
    expect(other.assignment).toHaveLength(1)
    expect(valuesOf(await groups.poll(other))).toEqual(['new'])
  })

  it('waits for what is new', async () => {
    await groups.topic('waits', ['old'])
    const me = await groups.join('waits', 'waits', latest)
    expect((await groups.poll(me)).records).toEqual([])
    const waiting = groups.poll(me, { max_wait_ms: LONG })
    await groups.produce('waits', [{ value: 'new' }])
    expect(valuesOf(await waiting)).toEqual(['new'])
  })

  it('goes on from its offsets where it has some', async () => {
    await groups.topic('some', upTo(5))
    await groups.set('some', [at('some', 0, 3)])
    const me = await groups.join('some', 'some', latest)
    expect(valuesOf(await groups.poll(me))).toEqual([3, 4])
  })

  it('has the end it began at as its offset', async () => {
    await groups.topic('end', upTo(5))
    await groups.join('end', 'end', latest)
    expect(await groups.describe('end')).toMatchObject({ lag: 0, partitions: [{ committed: 5 }] })
  })
})
