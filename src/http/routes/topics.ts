import type { FastifyInstance } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import * as topics from '../../broker/topics.ts'
import * as contract from '../../contract/topics.ts'
import { mount } from '../mount.ts'

export function topicRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.createTopic, async ({ body, reply }) => {
    const topic = await topics.createTopic(broker, body)
    reply.header('location', `/v1/topics/${topic.name}`)
    return topic
  })

  mount(app, contract.listTopics, async ({ query, reply }) => {
    const { topics: page, next_after } = await topics.listTopics(broker, query)
    if (next_after === undefined) return { topics: page, next: null }
    const rest = new URLSearchParams({ limit: String(query.limit), after: next_after })
    if (query.prefix !== undefined) rest.set('prefix', query.prefix)
    const next = `/v1/topics?${rest.toString()}`
    reply.header('link', `<${next}>; rel="next"`)
    return { topics: page, next }
  })

  mount(app, contract.getTopic, ({ params }) => topics.getTopic(broker, params.topic))

  mount(app, contract.patchTopic, ({ params, body }) =>
    topics.patchTopic(broker, params.topic, body),
  )

  mount(app, contract.deleteTopic, async ({ params }) => {
    await topics.deleteTopic(broker, params.topic)
    broker.sweeper.sweep()
  })
}
