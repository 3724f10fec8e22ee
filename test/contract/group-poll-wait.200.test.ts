import { describe, expect, it } from 'vitest'
import { getLiveness } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { LONG, valuesOf, type Caller, type Poll } from '../support/group-calls.ts'
import { useGroupsOnNodes } from '../support/use-groups.ts'
import { within } from '../support/within.ts'

const [groups, others] = useGroupsOnNodes()

/** Begins a poll; another request has gone there and back before this returns. */
async function begin(me: Caller, query: Poll = {}) {
  const waiting = groups.poll(me, { max_wait_ms: LONG, ...query })
  await ask(groups.url, getLiveness)
  return [waiting] as const
}

describe('a poll that may wait', () => {
  it('does not where there are records', async () => {
    await groups.topic('there', ['a'], [])
    const me = await groups.join('there', 'there')
    expect(valuesOf(await groups.poll(me, { max_wait_ms: LONG }))).toEqual(['a'])
  })

  it('is woken by the next record of any of its partitions', async () => {
    await groups.topic('woken', [], [], [])
    const me = await groups.join('woken', 'woken')
    for (const partition of [2, 0, 1]) {
      const [waiting] = await begin(me)
      await groups.produce('woken', [{ value: partition, partition }])
      expect(valuesOf(await waiting)).toEqual([partition])
    }
  })

  it('is woken by a record that another node has taken', async () => {
    await groups.topic('afar', [])
    const me = await groups.join('afar', 'afar')
    const [waiting] = await begin(me)
    await others.produce('afar', [{ value: 'news' }])
    expect(valuesOf(await waiting)).toEqual(['news'])
  })

  it('is woken again and again, whichever node has what is new', async () => {
    await groups.topic('often', [])
    const me = await groups.join('often', 'often')
    for (let n = 0; n < 30; n++) {
      const polling = groups.pollOn(me, { max_wait_ms: LONG })
      await (n % 2 ? groups : others).produce('often', [{ value: n }])
      expect(valuesOf(await polling)).toEqual([n])
    }
  })

  it('answers without records when its time is over', async () => {
    await groups.topic('over', [])
    const me = await groups.join('over', 'over')
    const start = performance.now()
    const polled = await groups.poll(me, { max_wait_ms: 300 })
    expect(performance.now() - start).toBeGreaterThan(290)
    expect(polled).toMatchObject({ records: [], positions: [] })
  })

  it('answers at once where it may not wait', async () => {
    await groups.topic('at-once', [])
    const me = await groups.join('at-once', 'at-once')
    expect((await groups.poll(me)).records).toEqual([])
  })

  it('commits before it waits', async () => {
    await groups.topic('first', ['a'])
    const me = await groups.join('first', 'first')
    await groups.poll(me)
    const [waiting] = await begin(me, { commit: 'previous' })
    while ((await others.committed('first'))['first/0'] !== 1);
    await groups.produce('first', [{ value: 'b' }])
    expect(valuesOf(await waiting)).toEqual(['b'])
  })

  it.each([1, 2, 3])('hears of a new assignment, made by another node (%i)', async (n) => {
    const name = await groups.topic(`shared-${String(n)}`, [], [])
    // This poll is the first that its node hears of the group.
    const me = await others.join(name, name)
    const [waiting] = await begin(me, { generation_id: me.generation_id })
    const other = await others.join(name, name)
    expect(await within(5_000, waiting)).toMatchObject({
      generation_id: other.generation_id,
      assignment: [{ topic: name, partitions: [expect.any(Number)] }],
    })
  })

  it('that is abandoned takes nothing with it', async () => {
    await groups.topic('abandoned', [])
    const me = await groups.join('abandoned', 'abandoned')
    const over = new AbortController()
    const abandoned = groups.poll(me, { max_wait_ms: LONG }, over.signal).catch(() => 'gone')
    await groups.poll(me, { max_wait_ms: 50 })
    over.abort()
    expect(await abandoned).toBe('gone')
    await ask(groups.url, getLiveness)
    await groups.produce('abandoned', [{ value: 'mine' }])
    expect(valuesOf(await groups.poll(me, { max_wait_ms: LONG }))).toEqual(['mine'])
  })

  it('lives as long as it waits, though its session is shorter', async () => {
    await groups.topic('patient', [])
    const me = await groups.join('patient', 'patient', { session_timeout_ms: 1_000 })
    const { generation_id } = me
    expect(await groups.poll(me, { generation_id, max_wait_ms: 3_500 })).toMatchObject({
      generation_id,
      records: [],
    })
    expect(await others.describe('patient')).toMatchObject({ members: [{}], generation_id })
  })
})
