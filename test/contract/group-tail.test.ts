import { once } from 'node:events'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createTopic, getGroup } from '../../src/client/index.ts'
import { GroupMessage, type GroupCommand } from '../../src/contract/group-tail.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/within.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** A member on a WebSocket, and what it was told; each message is one that the contract knows. */
class Member {
  readonly told: GroupMessage[] = []
  closed: number | undefined
  readonly #socket: WebSocket

  constructor(path: string, url = server.url) {
    this.#socket = new WebSocket(url.replace('http', 'ws') + path)
    this.#socket.on('message', (data: Buffer) => {
      this.told.push(GroupMessage.parse(JSON.parse(data.toString())))
    })
    this.#socket.on('close', (code) => (this.closed = code))
    this.#socket.on('error', () => undefined)
    onTestFinished(() => this.#socket.terminate())
  }

  /** The first message of a type that has come or will come. */
  async hears<T extends GroupMessage['type']>(
    type: T,
    isIt: (message: Extract<GroupMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<GroupMessage, { type: T }>> {
    const find = () =>
      this.told.find(
        (one): one is Extract<GroupMessage, { type: T }> =>
          one.type === type && isIt(one as Extract<GroupMessage, { type: T }>),
      )
    await until(() => find() !== undefined)
    return find() as Extract<GroupMessage, { type: T }>
  }

  values(): unknown[] {
    return this.told.flatMap((one) =>
      one.type === 'records' ? one.records.map(({ value }) => value) : [],
    )
  }

  say(command: GroupCommand | { type: string }): void {
    this.#socket.send(JSON.stringify(command))
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}

const open = (group: string, query: string) => new Member(`/v1/groups/${group}/tail?${query}`)
const create = (name: string, partitions = 1) =>
  ask(server.url, createTopic, { body: { name, partitions } })
const describe = (group: string) => ask(server.url, getGroup, { params: { group } })

it('is a member from its connecting to its closing', async () => {
  await create('alone')
  await produce(server.url, 'alone', [{ value: 1 }, { value: 2 }])
  const member = open('one', 'topics=alone')
  const joined = await member.hears('joined')
  expect(joined.assignment).toEqual([{ topic: 'alone', partitions: [0] }])
  const { positions } = await member.hears('records')
  expect(positions).toEqual([{ topic: 'alone', partition: 0, offset: 2 }])
  await produce(server.url, 'alone', [{ value: 3 }])
  await until(() => member.values().length === 3)
  expect(member.values()).toEqual([1, 2, 3])
  expect((await describe('one')).members).toHaveLength(1)
  await member.close()
  await until(async () => (await describe('one')).members.length === 0)
})

it('commits what it names, or all it was given, and is told when that is durable', async () => {
  await create('kept')
  await produce(server.url, 'kept', [{ value: 1 }, { value: 2 }, { value: 3 }])
  const member = open('keeping', 'topics=kept')
  await member.hears('records')
  const offsets = [{ topic: 'kept', partition: 0, offset: 2 }]
  member.say({ type: 'commit', offsets })
  expect((await member.hears('committed')).offsets).toEqual(offsets)
  expect((await describe('keeping')).partitions[0]?.committed).toBe(2)
  member.say({ type: 'commit', offsets: 'delivered' })
  await member.hears('committed', ({ offsets: [one] }) => one?.offset === 3)
  await member.close()
  const next = open('keeping', 'topics=kept')
  await next.hears('joined')
  await produce(server.url, 'kept', [{ value: 4 }])
  await next.hears('records')
  expect(next.values()).toEqual([4])
})

it('is told of a commit that cannot be, and goes on', async () => {
  await create('beyond')
  await produce(server.url, 'beyond', [{ value: 1 }])
  const member = open('going-on', 'topics=beyond')
  await member.hears('records')
  member.say({ type: 'commit', offsets: [{ topic: 'beyond', partition: 0, offset: 9 }] })
  expect(await member.hears('refused')).toMatchObject({ code: 'offset_out_of_range' })
  await produce(server.url, 'beyond', [{ value: 2 }])
  await until(() => member.values().length === 2)
})

it('shares with another, and is told so', async () => {
  await create('shared', 4)
  const one = open('sharing', 'topics=sha*')
  expect((await one.hears('joined')).assignment[0]?.partitions).toEqual([0, 1, 2, 3])
  const two = open('sharing', 'topics=sha*')
  expect((await two.hears('joined')).assignment[0]?.partitions).toHaveLength(2)
  const { assignment } = await one.hears('assigned')
  expect(assignment[0]?.partitions).toHaveLength(2)
  await two.close()
  await one.hears('assigned', (message) => message.assignment[0]?.partitions.length === 4)
})

it('gets no more than it has credit for, and nothing while paused', async () => {
  await create('credited')
  await produce(
    server.url,
    'credited',
    [1, 2, 3, 4, 5].map((value) => ({ value })),
  )
  const member = open('crediting', 'topics=credited&credit=2')
  await until(() => member.values().length === 2)
  member.say({ type: 'pause' })
  member.say({ type: 'credit', records: 2 })
  member.say({ type: 'commit', offsets: 'delivered' })
  await member.hears('committed')
  expect(member.values()).toEqual([1, 2])
  member.say({ type: 'resume' })
  await until(() => member.values().length === 4)
  member.say({ type: 'commit', offsets: 'delivered' })
  await member.hears('committed', ({ offsets: [one] }) => one?.offset === 4)
  expect(member.values()).toEqual([1, 2, 3, 4])
})

it('reads from elsewhere when told to seek', async () => {
  await create('sought')
  await produce(
    server.url,
    'sought',
    [0, 1, 2].map((value) => ({ value })),
  )
  const member = open('seeking', 'topics=sought')
  await until(() => member.values().length === 3)
  member.say({ type: 'seek', topic: 'sought', partition: 0, offset: 1 })
  await until(() => member.values().length === 5)
  expect(member.values()).toEqual([0, 1, 2, 1, 2])
  member.say({ type: 'seek', topic: 'sought', partition: 0, offset: 7 })
  expect(await member.hears('refused')).toMatchObject({ code: 'offset_out_of_range' })
})

it('is told that it cannot skip in a partition that goes to another member', async () => {
  await create('handed', 2)
  const records = [0, 1].map((partition) => ({ partition, value: partition }))
  await produce(server.url, 'handed', records)
  const one = open('handing', 'topics=handed')
  await until(() => one.values().length === 2)
  const two = open('handing', 'topics=handed')
  const { revoked } = await one.hears('assigned', (message) => message.revoked !== undefined)
  const partition = revoked?.[0]?.partitions[0] ?? -1
  await produce(server.url, 'handed', [{ partition, value: 'theirs' }])
  one.say({ type: 'seek', topic: 'handed', partition, offset: 2 })
  expect(await one.hears('refused')).toMatchObject({ code: 'illegal_generation', written: 'no' })
  one.say({ type: 'commit', offsets: 'delivered' })
  await until(() => two.values().length === 1)
  expect(two.values()).toEqual(['theirs'])
})

it('keeps its partitions under a name of its own while it reconnects', async () => {
  await create('named', 2)
  const one = open('naming', 'topics=named&member_id=me')
  await one.hears('joined')
  await one.close()
  expect((await describe('naming')).partitions.map(({ member_id }) => member_id)).toEqual([
    'me',
    'me',
  ])
  const again = open('naming', 'topics=named&member_id=me')
  expect((await again.hears('joined')).assignment[0]?.partitions).toEqual([0, 1])
})

it.each([
  ['an unknown topic', 'topics=nowhere', 'unknown_topic_or_partition'],
  ['no topic', '', 'invalid_request'],
  ['a credit that is none', 'topics=alone&credit=-1', 'invalid_request'],
])('is told what is wrong, and closed: %s', async (_, query, code) => {
  const member = open('wrong', query)
  expect(await member.hears('problem')).toMatchObject({ code })
  await until(() => member.closed !== undefined)
  expect(member.closed).toBe(1008)
})

it('is closed for a message of no known type', async () => {
  await create('talking')
  const member = open('talkers', 'topics=talking')
  await member.hears('joined')
  member.say({ type: 'sing' })
  expect(await member.hears('problem')).toMatchObject({ code: 'invalid_request' })
  await until(() => member.closed === 1008)
})

it('says farewell when the server stops, paused or not', async () => {
  const other = await startTestServer()
  await ask(other.url, createTopic, { body: { name: 'last', partitions: 2 } })
  const members = ['', '&credit=0'].map(
    (query) => new Member(`/v1/groups/lasting/tail?topics=last${query}`, other.url),
  )
  for (const member of members) await member.hears('joined')
  await other.stop()
  for (const member of members) {
    await member.hears('draining')
    await until(() => member.closed === 1012)
  }
})
