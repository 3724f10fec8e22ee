import { beforeAll, describe, expect, it } from 'vitest'
import { commitOffsets, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { at, upTo, type Caller } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const TOPIC = 'orders'
const groups = useGroups()
let me: Caller
beforeAll(async () => {
  await groups.topic(TOPIC, upTo(5), upTo(5))
  me = await groups.join('group', TOPIC)
  await groups.poll(me, { max_records: 10 })
  await groups.commit(me, [at(TOPIC, 0, 2), at(TOPIC, 1, 2)])
})

const tryText = (body: string) =>
  send(groups.url, commitOffsets, {
    params: { group: 'group' },
    body,
    headers: { 'content-type': 'application/json' },
  })

const entry = (more: string) => `[{"topic":"orders","partition":0,${more}}]`
const fromMe = (offsets: string) =>
  tryText(
    `{"member_id":"${me.member_id}","generation_id":${String(me.generation_id)},"offsets":${offsets}}`,
  )

describe('a commit that is not valid', () => {
  it.each<[string, string, RegExp]>([
    ['an offset below zero', entry('"offset":-1'), /^\/offsets/],
    ['an offset of 2^53', entry('"offset":9007199254740992'), /^\/offsets/],
    ['an offset of 2^63', entry('"offset":9223372036854775808'), /^\/offsets/],
    ['an offset of 1e400', entry('"offset":1e400'), /^\/offsets/],
    ['half an offset', entry('"offset":2.5'), /^\/offsets/],
    ['an offset that is text', entry('"offset":"3"'), /^\/offsets/],
    ['an offset of "NaN"', entry('"offset":"NaN"'), /^\/offsets/],
    ['an offset of null', entry('"offset":null'), /^\/offsets/],
    ['no offset', '[{"topic":"orders","partition":0}]', /^\/offsets/],
    ['a partition below zero', '[{"topic":"orders","partition":-1,"offset":3}]', /^\/offsets/],
    ['half a partition', '[{"topic":"orders","partition":0.5,"offset":3}]', /^\/offsets/],
    ['a topic that is a prefix', '[{"topic":"ord*","partition":0,"offset":3}]', /^\/offsets/],
    ['more than is known', entry('"offset":3,"metadata":"x"'), /^\/offsets/],
    ['no offsets at all', '[]', /^\/offsets/],
    ['another word', '"all"', /^\/offsets/],
    ['null', 'null', /^\/offsets/],
    ['NaN', entry('"offset":NaN'), /^$/],
    [
      'a partition twice',
      '[{"topic":"orders","partition":0,"offset":3},{"topic":"orders","partition":0,"offset":3}]',
      /^\/offsets\/1/,
    ],
  ])('for %s says so and commits nothing', async (_, offsets, pointer) => {
    const answer = await fromMe(offsets)
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
    expect(await groups.committed('group')).toEqual({ 'orders/0': 2, 'orders/1': 2 })
  })

  it.each<[string, string, string]>([
    ['a member without its generation', '"member_id":"m"', '/generation_id'],
    ['a generation without its member', '"generation_id":1', '/member_id'],
    ['half a generation', '"member_id":"m","generation_id":1.5', '/generation_id'],
    ['a generation below zero', '"member_id":"m","generation_id":-1', '/generation_id'],
    ['a generation of 2^53', '"member_id":"m","generation_id":9007199254740992', '/generation_id'],
    ['a generation that is text', '"member_id":"m","generation_id":"1"', '/generation_id'],
    ['a member with a blank', '"member_id":"a b","generation_id":1', '/member_id'],
    ['more than is known', '"sync":true', '/sync'],
  ])('for %s says so', async (_, more, pointer) => {
    const answer = await tryText(`{${more},"offsets":${entry('"offset":3')}}`)
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
  })

  it('for all that was delivered by nobody says so', async () => {
    const answer = await tryText('{"offsets":"delivered"}')
    await expectProblem(answer, 'invalid_request', { pointer: '/offsets', written: 'no' })
  })

  it.each<[string, string]>([
    ['topic', '[{"topic":"nope","partition":0,"offset":3}]'],
    ['partition', '[{"topic":"orders","partition":2,"offset":3}]'],
  ])('for a %s that is not there is 404', async (_, offsets) => {
    const answer = await fromMe(offsets)
    await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
  })

  it('and after all of these the group goes on', async () => {
    await groups.commit(me, 'delivered')
    expect(await groups.committed('group')).toEqual({ 'orders/0': 5, 'orders/1': 5 })
  })
})
