import { describe, expect, it } from 'vitest'
import { at, placeOf, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('a poll', () => {
  it('has each record with its place, and says where it goes on', async () => {
    await groups.topic('whole', ['a'], ['b', 'c'])
    const me = await groups.join('whole', 'whole')
    const polled = await groups.poll(me)
    expect(polled).toMatchObject({ group: 'whole', member_id: me.member_id })
    const places = polled.records.map((one) => `${placeOf(one)} ${String(one.offset)}`)
    expect(places.sort()).toEqual(['whole/0 0', 'whole/1 0', 'whole/1 1'])
    expect(polled.positions.sort((a, b) => a.partition - b.partition)).toEqual([
      at('whole', 0, 1),
      at('whole', 1, 2),
    ])
    expect(polled).not.toHaveProperty('revoked')
    expect(polled).not.toHaveProperty('truncated')
  })

  it('gives records as a fetch does, keys and headers too, to the last digit', async () => {
    await groups.create('exact')
    const text = '{"n":12345678901234567890.10,"z":[1e400,"\\ud800"]}'
    const body = `{"records":[{"key":"k","headers":{"trace":"t"},"timestamp":1,"value":${text}}]}`
    const headers = { 'content-type': 'application/json' }
    await fetch(`${groups.url}/v1/topics/exact/records`, { method: 'POST', headers, body })
    const fetched = await fetch(`${groups.url}/v1/topics/exact/partitions/0/records`)
    const me = await groups.join('exact', 'exact')
    const line = /"offset":.*"value".*?\]\}/
    const polled = await (await groups.tryPoll(me)).text()
    expect(line.exec(polled)?.[0]).toBe(line.exec(await fetched.text())?.[0])
  })

  it('goes on behind what was delivered, committed or not', async () => {
    await groups.topic('onwards', ['a', 'b', 'c'])
    const me = await groups.join('onwards', 'onwards')
    const pages = []
    for (let n = 0; n < 4; n++) pages.push(valuesOf(await groups.poll(me, { max_records: 1 })))
    expect(pages).toEqual([['a'], ['b'], ['c'], []])
    expect(await groups.committed('onwards')).toEqual({ 'onwards/0': null })
  })

  it('commits what the last answer held where it is asked to', async () => {
    await groups.topic('previous', ['a', 'b', 'c'])
    const me = await groups.join('previous', 'previous')
    await groups.pollOn(me, { max_records: 2 })
    expect(await groups.committed('previous')).toEqual({ 'previous/0': null })
    await groups.pollOn(me)
    expect(await groups.committed('previous')).toEqual({ 'previous/0': 2 })
    await groups.pollOn(me)
    expect(await groups.committed('previous')).toEqual({ 'previous/0': 3 })
  })

  it('names the assignment where the caller does not name the generation of now', async () => {
    await groups.topic('news', [], [])
    const me = await groups.join('news', 'news')
    const assignment = [{ topic: 'news', partitions: [0, 1] }]
    expect(await groups.poll(me)).toMatchObject({ assignment })
    const { generation_id } = me
    expect(await groups.poll(me, { generation_id })).not.toHaveProperty('assignment')
    const other = await groups.join('news', 'news')
    const changed = await groups.poll(me, { generation_id })
    expect(changed.generation_id).toBe(other.generation_id)
    expect(changed.assignment).toEqual([{ topic: 'news', partitions: [expect.any(Number)] }])
  })

  it('takes no more records than it was asked for, over all partitions', async () => {
    await groups.topic('bounded', upTo(10), upTo(10), upTo(10))
    const me = await groups.join('bounded', 'bounded')
    for (const max_records of [1, 7, 12, 10]) {
      expect((await groups.poll(me, { max_records })).records).toHaveLength(max_records)
    }
    expect((await groups.poll(me)).records).toHaveLength(0)
  })

  it('takes no more bytes than it was asked for, but for a first record', async () => {
    const value = 'x'.repeat(1_000)
    await groups.topic('bytes', Array(20).fill(value), Array(20).fill(value))
    const me = await groups.join('bytes', 'bytes')
    for (let left = 40; left > 0;) {
      const { records } = await groups.poll(me, { max_bytes: 5_000 })
      expect(JSON.stringify(records).length).toBeLessThan(6_500)
      expect(records.length).toBeGreaterThan(0)
      left -= records.length
    }
  })

  it('has the records of a partition in order, each once, in pages of any size', async () => {
    await groups.topic('ordered', upTo(50), upTo(150, 100))
    const me = await groups.join('ordered', 'ordered')
    const values: unknown[] = []
    for (let n = 1; values.length < 100; n++) {
      values.push(...valuesOf(await groups.pollOn(me, { max_records: 1 + (n % 5) })))
    }
    const parts = [0, 100].map((from) =>
      values.filter((one) => Math.sign(Number(one) - 99.5) === (from ? 1 : -1)),
    )
    expect(parts).toEqual([upTo(50), upTo(150, 100)])
  })

  it('counts as a sign of life', async () => {
    await groups.topic('alive', [])
    const me = await groups.join('alive', 'alive', { session_timeout_ms: 1_000 })
    const start = performance.now()
    while (performance.now() - start < 2_500) {
      await groups.poll(me, { max_wait_ms: 100 })
    }
    expect((await groups.describe('alive')).members).toHaveLength(1)
  })

  it('of two at once of one member gives no record twice and none not at all', async () => {
    await groups.topic('double', upTo(40), upTo(40))
    const me = await groups.join('double', 'double')
    const count = new Map<string, number>()
    for (let n = 0; n < 10; n++) {
      const both = [groups.poll(me, { max_records: 4 }), groups.poll(me, { max_records: 4 })]
      for (const { records } of await Promise.all(both)) {
        for (const one of records) {
          const place = `${placeOf(one)} ${String(one.offset)}`
          count.set(place, (count.get(place) ?? 0) + 1)
        }
      }
    }
    expect(count.size).toBe(80)
    expect(new Set(count.values())).toEqual(new Set([1]))
  })
})
