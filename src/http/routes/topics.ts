import type { FastifyInstance } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import * as topics from '../../broker/topics.ts'
import * as contract from '../../contract/topics.ts'
import { mount } from '../mount.ts'
import { nextPage } from '../next-page.ts'

export function topicRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.createTopic, async ({ body, reply }) => {
    const topic = await topics.createTopic(broker, body)
    reply.header('location', `/v1/topics/${topic.name}`)
    return topic
  })

  mount(app, contract.listTopics, async ({ query, reply }) => {
    const { topics: page, next_after } = await topics.listTopics(broker, query)
    const next = nextPage(reply, contract.listTopics.path, query, next_after)
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
