import { z } from 'zod'
import { AutoOffsetReset } from './groups.ts'
import { GroupCommand, GroupMessage, groupTail } from './group-tail.ts'
import type { Route } from './route.ts'
import { tailTopic, tailTopics } from './tail-routes.ts'
import { TailCommand, TailControl, TailedRecord, TailRecords } from './tails.ts'

/** What a schema is called in the document; every message has an id. */
function idOf(schema: z.ZodType): string {
  const id = schema.meta()?.['id']
  if (typeof id !== 'string') throw new Error('a message of the tail has no id')
  return id
}

const SCHEMAS = '#/components/schemas/'

/** What goes over one kind of connection, from the server and from the client. */
interface Talk {
  route: Route
  description: string
  sent: readonly z.ZodType[]
  received: readonly z.ZodType[]
}

const LIKE_ALL =
  'Unlike an HTTP answer, a refusal comes as a `problem` message, then the connection is closed: 1008 for a bad request, 1012 for a restart, 1013 for a reader that is too slow. Frames have at most 4 KiB towards the server; compression is off.'
const ONE_TAIL = `One WebSocket is one tail: its query says what to read and from where. ${LIKE_ALL}`
const ONE_MEMBER = `One WebSocket is one member of a group: it joins by connecting, and leaves by closing. ${LIKE_ALL}`
const OF_TAILS = {
  description: ONE_TAIL,
  sent: [TailRecords, ...TailControl.options],
  received: TailCommand.options,
}

const TALKS: Readonly<Record<string, Talk>> = {
  tailTopic: { route: tailTopic, ...OF_TAILS },
  tailTopics: { route: tailTopics, ...OF_TAILS },
  groupTail: {
    route: groupTail,
    description: ONE_MEMBER,
    sent: GroupMessage.options,
    received: GroupCommand.options,
  },
}

/** All messages, each once. */
const MESSAGES = new Set(
  Object.values(TALKS).flatMap(({ sent, received }) => [...sent, ...received]),
)

/** The JSON schemas of all messages; what they share stands once. */
function schemas(): Record<string, unknown> {
  const registry = z.registry<{ id: string }>()
  for (const schema of [...MESSAGES, TailedRecord, AutoOffsetReset]) {
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
    [...MESSAGES].map((schema) => {
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

function channel({ route, description, sent, received }: Talk): Record<string, unknown> {
  const names = [...sent, ...received].map(idOf)
  return {
    address: route.path,
    title: route.summary,
    description,
    ...parameters(route),
    messages: Object.fromEntries(names.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
    bindings: { ws: { method: 'GET', query: querySchema(route), bindingVersion: '0.1.0' } },
  }
}

/** What has a name of its own stands among the schemas. */
function querySchema(route: Route): object {
  const made = z.toJSONSchema(route.query, { target: 'draft-7', io: 'input' })
  const text = JSON.stringify(made).replaceAll('#/definitions/', SCHEMAS)
  const { $schema: _dialect, definitions: _named, ...query } = JSON.parse(text) as typeof made
  return query
}

function parameters({ path }: Route): { parameters?: Record<string, { description: string }> } {
  const [, name] = /\{(\w+)\}/.exec(path) ?? []
  return name === undefined ? {} : { parameters: { [name]: { description: `Name of a ${name}.` } } }
}

function operations(name: string, { sent, received }: Talk): Record<string, unknown> {
  return {
    [`${name}Send`]: {
      action: 'send',
      title: 'What the server sends',
      channel: { $ref: `#/channels/${name}` },
      messages: references(name, sent),
    },
    [`${name}Receive`]: {
      action: 'receive',
      title: 'What a client may say',
      channel: { $ref: `#/channels/${name}` },
      messages: references(name, received),
    },
  }
}

const TALKS_BY_NAME = Object.entries(TALKS)

/** The AsyncAPI 3.0 document of what goes over WebSockets. Pure: the same schemas give the same document. */
export function asyncapiDocument(version: string): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tailrace live tails and groups',
      version,
      description:
        'What goes over WebSockets: live tails, whose other two forms are in openapi.yaml, and members of groups.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: { local: { host: 'localhost:7070', protocol: 'ws' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(TALKS_BY_NAME.map(([name, talk]) => [name, channel(talk)])),
    operations: Object.assign({}, ...TALKS_BY_NAME.map(([name, talk]) => operations(name, talk))),
    components: { messages: messages(), schemas: schemas() },
  }
}
