import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resetGroup, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { at, upTo } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const topic = 'orders'
const groups = useGroups()
beforeAll(async () => {
  await groups.topic(topic, upTo(9), upTo(5))
  await moveLogStart(groups.server, topic, 2)
  await groups.set('group', [at(topic, 0, 4), at(topic, 1, 4)])
})
afterAll(async () => {
  expect(await groups.committed('group')).toEqual({ 'orders/0': 4, 'orders/1': 4 })
})

const tryBody = (body: unknown) =>
  send(groups.url, resetGroup, {
    params: { group: 'group' },
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

describe('a reset that is not valid', () => {
  it.each<[string, unknown, RegExp]>([
    ['nowhere', { topic }, /^\/to/],
    ['another word', { topic, to: 'middle' }, /^\/to/],
    ['nothing in it', { topic, to: {} }, /^\/to/],
    ['two places at once', { topic, to: { offset: 1, shift: 1 } }, /^\/to/],
    ['an offset below zero', { topic, to: { offset: -1 } }, /^\/to/],
    ['half an offset', { topic, to: { offset: 0.5 } }, /^\/to/],
    ['an offset of 2^53', { topic, to: { offset: 2 ** 53 } }, /^\/to/],
    ['half a shift', { topic, to: { shift: 0.5 } }, /^\/to/],
    ['a shift of 2^53', { topic, to: { shift: 2 ** 53 } }, /^\/to/],
    ['a time that is none', { topic, to: { timestamp: 'yesterday' } }, /^\/to/],
    ['a time of half a millisecond', { topic, to: { timestamp: 1.5 } }, /^\/to/],
    ['a time without zone', { topic, to: { timestamp: '2026-01-01 00:00' } }, /^\/to/],
    ['no topic', { to: 'earliest' }, /^\/topic$/],
    ['a prefix', { topic: 'ord*', to: 'earliest' }, /^\/topic$/],
    ['no partitions', { topic, to: 'earliest', partitions: [] }, /^\/partitions$/],
    ['a partition below zero', { topic, to: 'earliest', partitions: [-1] }, /^\/partitions\/0$/],
    ['a dry run that is text', { topic, to: 'earliest', dry_run: 'no' }, /^\/dry_run$/],
    ['more than is known', { topic, to: 'earliest', force: true }, /^\/force$/],
  ])('for %s says so and moves nothing', async (_, body, pointer) => {
    await expectProblem(await tryBody(body), 'invalid_request', { pointer, written: 'no' })
  })

  it.each<[string, unknown]>([
    ['topic', { topic: 'nope', to: 'earliest' }],
    ['partition', { topic, to: 'earliest', partitions: [0, 2] }],
  ])('for a %s that is not there is 404', async (_, body) => {
    const answer = await tryBody(body)
    await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
  })

  it.each([
    ['before the log', 1],
    ['behind the end', 10],
    ['behind the end of one of the partitions', 6],
  ])('for an offset %s is 416, and none of them moves', async (_, offset) => {
    for (const dry_run of [true, false]) {
      const answer = await groups.tryReset('group', { topic, to: { offset }, dry_run })
      await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
    }
  })
})
