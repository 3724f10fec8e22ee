import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, CallError, createTopic, getTopic, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('a topic whose name is taken', () => {
  it('is refused, and the first stays as it is', async () => {
    const first = await ask(server.url, createTopic, { body: { name: 'taken', partitions: 2 } })
    const second = await send(server.url, createTopic, { body: { name: 'taken', partitions: 5 } })
    const problem = await expectProblem(second, 'topic_already_exists', { written: 'no' })
    expect(problem.detail).toContain('taken')
    expect(await ask(server.url, getTopic, { params: { topic: 'taken' } })).toEqual(first)
  })

  it('is thrown by the typed client, with its problem', async () => {
    await call(server.url, createTopic, { body: { name: 'thrown' } })
    const again = call(server.url, createTopic, { body: { name: 'thrown' } })
    const error = await again.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ status: 409, problem: { code: 'topic_already_exists' } })
  })

  it('has one winner among many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send(server.url, createTopic, { body: { name: 'race' } })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
  })

  it('has one maker among many who produce at once, and no one fails', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        fetch(`${server.url}/t/made`, { method: 'POST', body: 'hello' }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    const made = answers.filter(({ headers }) => headers.has('tailrace-topic-created'))
    expect(made).toHaveLength(1)
    const topic = await ask(server.url, getTopic, { params: { topic: 'made' } })
    expect(topic.offsets[0]!.high_watermark).toBe(8)
  })
})
