import { z } from 'zod'
import { tailTopic, tailTopics } from './tail-routes.ts'
import { TailCommand, TailControl, TailedRecord, TailRecords } from './tails.ts'

/** What a schema is called in the document; every message has an id. */
function idOf(schema: z.ZodType): string {
  const id = schema.meta()?.['id']
  if (typeof id !== 'string') throw new Error('a message of the tail has no id')
  return id
}

const SCHEMAS = '#/components/schemas/'
const SENT = [TailRecords, ...TailControl.options]
const RECEIVED = [...TailCommand.options]

/** The JSON schemas of all messages; what they share stands once. */
function schemas(): Record<string, unknown> {
  const registry = z.registry<{ id: string }>()
  for (const schema of [...SENT, ...RECEIVED, TailedRecord]) {
    registry.add(schema, { id: idOf(schema) })
  }
  const uri = (id: string) => `${SCHEMAS}${id}`
  const { schemas: made } = z.toJSONSchema(registry, { uri, target: 'draft-7' })
  // What several of them name, such as Offset, zod keeps apart; here it stands beside them.
  const { __shared: shared, ...own } = JSON.parse(
    JSON.stringify(made).replaceAll(`${SCHEMAS}__shared#/definitions/`, SCHEMAS),
  ) as Record<string, { definitions?: object; $id?: string; $schema?: string }>
  const all = Object.entries({ ...own, ...shared?.definitions })
  return Object.fromEntries(all.map(([id, { $id: _id, $schema: _dialect, ...rest }]) => [id, rest]))
}

function messages(): Record<string, unknown> {
  return Object.fromEntries(
    [...SENT, ...RECEIVED].map((schema) => {
      const id = idOf(schema)
      const summary = schema.meta()?.description
      const payload = { $ref: `#/components/schemas/${id}` }
      return [id, { name: id, contentType: 'application/json', summary, payload }]
    }),
  )
}

function references(channel: string, list: readonly z.ZodType[]): { $ref: string }[] {
  return list.map((schema) => ({ $ref: `#/channels/${channel}/messages/${idOf(schema)}` }))
}

function channel(route: typeof tailTopic | typeof tailTopics): Record<string, unknown> {
  const names = [...SENT, ...RECEIVED].map(idOf)
  const query = z.toJSONSchema(route.query, { target: 'draft-7', io: 'input' })
  delete query.$schema
  return {
    address: route.path,
    title: route.summary,
    description:
      'One WebSocket is one tail: its query says what to read and from where. Unlike an HTTP answer, a refusal comes as a `problem` message, then the connection is closed: 1008 for a bad request, 1012 for a restart, 1013 for a reader that is too slow. Frames have at most 4 KiB towards the server; compression is off.',
    ...(route.path.includes('{topic}')
      ? { parameters: { topic: { description: 'Name of a topic.' } } }
      : {}),
    messages: Object.fromEntries(names.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
    bindings: { ws: { method: 'GET', query, bindingVersion: '0.1.0' } },
  }
}

function operations(name: string): Record<string, unknown> {
  return {
    [`${name}Send`]: {
      action: 'send',
      title: 'What the server sends',
      channel: { $ref: `#/channels/${name}` },
      messages: references(name, SENT),
    },
    [`${name}Receive`]: {
      action: 'receive',
      title: 'What a client may say',
      channel: { $ref: `#/channels/${name}` },
      messages: references(name, RECEIVED),
    },
  }
}

/** The AsyncAPI 3.0 document of the tails as WebSockets. Pure: the same schemas give the same document. */
export function asyncapiDocument(version: string): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tailrace live tails',
      version,
      description:
        'The messages of a live tail on a WebSocket; openapi.yaml has its other two forms.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: { local: { host: 'localhost:7070', protocol: 'ws' } },
    defaultContentType: 'application/json',
    channels: { tailTopic: channel(tailTopic), tailTopics: channel(tailTopics) },
    operations: { ...operations('tailTopic'), ...operations('tailTopics') },
    components: { messages: messages(), schemas: schemas() },
  }
}
