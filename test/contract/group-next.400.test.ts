import { beforeAll, describe, expect, it } from 'vitest'
import { nextRecords, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { upTo, valuesOf, type Nexted } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()
let first: Nexted
const topics = ['orders']
const max_records = 3
beforeAll(async () => {
  await groups.topic('orders', upTo(9))
  first = await groups.next('group', topics, { member_id: 'me', max_records })
})

const tryBody = (body: unknown) =>
  send(groups.url, nextRecords, {
    params: { group: 'group' },
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

describe('next with what is not valid', () => {
  it.each<[string, unknown]>([
    ['no words', 'what?'],
    ['half of one', 'me:1'],
    ['other numbers', 'me:1:x-y'],
    ['too large a number', 'me:1:1-9999999999999999'],
    ['a number below zero', 'me:1:1--1'],
    ['a comma too many', 'me:1:1-1,'],
    ['another character in the name', 'm e:1:1-1'],
    ['a number', 7],
    ['a list', []],
    ['more than may be', 'x'.repeat(24_001)],
  ])('an ack of %s is refused', async (_, ack) => {
    const answer = await tryBody({ topics, ack })
    await expectProblem(answer, 'invalid_request', { pointer: '/ack', written: 'no' })
  })

  it.each<[string, unknown, string]>([
    ['no topics', {}, '/topics'],
    ['a lease of no time', { topics, lease_ms: 0 }, '/lease_ms'],
    ['no records', { topics, max_records: 0 }, '/max_records'],
    ['too many records', { topics, max_records: 10_001 }, '/max_records'],
    ['no bytes', { topics, max_bytes: 0 }, '/max_bytes'],
    ['an endless wait', { topics, max_wait_ms: 60_001 }, '/max_wait_ms'],
    ['a wait below zero', { topics, max_wait_ms: -1 }, '/max_wait_ms'],
    ['another reset', { topics, auto_offset_reset: 'none' }, '/auto_offset_reset'],
    ['more than is known', { topics, limit: 1 }, '/limit'],
  ])('%s is refused', async (_, body, pointer) => {
    await expectProblem(await tryBody(body), 'invalid_request', { pointer, written: 'no' })
  })

  it('an ack of another caller than it says is refused, and neither is harmed', async () => {
    const answer = await groups.tryNext('group', topics, { member_id: 'other', ack: first.ack })
    await expectProblem(answer, 'invalid_request', { pointer: '/member_id', written: 'no' })
    expect(await groups.committed('group')).toEqual({ 'orders/0': null })
  })

  it.each([
    ['behind the end', (ack: string) => ack.replace(/\d+$/, '10')],
    ['of a partition that is not there', (ack: string) => ack.replace(/\d+-(\d+)$/, '999999-$1')],
    ['of a time to come', (ack: string) => ack.replace(/:\d+:/, ':999:')],
  ])('an ack %s commits nothing', async (_, forge) => {
    const answer = await groups.tryNext('group', topics, { ack: forge(first.ack) })
    expect([400, 409, 416]).toContain(answer.status)
    expect(await answer.json()).toMatchObject({ written: 'no' })
    expect(await groups.committed('group')).toEqual({ 'orders/0': null })
  })

  it('an ack of another group is refused, though the names are the same', async () => {
    const me = { member_id: 'me', max_records: 8 }
    const there = await groups.next('other-group', topics, me)
    await groups.next('this-group', topics, { ...me, max_records: 2 })
    const answer = await groups.tryNext('this-group', topics, { ack: there.ack })
    expect([400, 409]).toContain(answer.status)
    expect(await groups.committed('this-group')).toEqual({ 'orders/0': null })
  })

  it('and the group goes on', async () => {
    const me = { member_id: 'me', max_records }
    const begun = await groups.next('group', topics, me)
    expect(valuesOf(begun)).toEqual([0, 1, 2])
    const { records } = await groups.next('group', topics, { ...me, ack: begun.ack })
    expect(records).toMatchObject([{ value: 3 }, { value: 4 }, { value: 5 }])
  })
})
