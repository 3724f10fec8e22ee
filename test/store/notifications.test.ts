import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Notifications } from '../../src/store/notifications.ts'
import { openDeafProxy } from '../support/deaf-proxy.ts'
import { openPostgresProxy } from '../support/postgres-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { until } from '../support/within.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase('empty')
})
afterAll(() => database.drop())

/** A node that listens, and what it has heard. */
interface Node {
  notifications: Notifications
  appended: [number, number][]
  listening: number
  deaf: unknown[]
}

function createNode(url = database.url): Node {
  const node: Omit<Node, 'notifications'> = { appended: [], listening: 0, deaf: [] }
  const notifications = new Notifications(
    { connectionString: url },
    {
      appended: (id, highWatermark) => node.appended.push([id, highWatermark]),
      listening: () => node.listening++,
      deaf: (reason) => node.deaf.push(reason),
    },
  )
  onTestFinished(() => notifications.close())
  return Object.assign(node, { notifications })
}

async function startNode(url?: string): Promise<Node> {
  const node = createNode(url)
  node.notifications.start()
  await until(() => node.listening === 1)
  return node
}

/** What it had heard when it heard this, which nobody else says. */
let sentinels = 1_000_000
async function heardBy(node: Node, from: Node): Promise<[number, number][]> {
  const sentinel = ++sentinels
  from.notifications.tell(sentinel, 1)
  await until(() => node.appended.some(([id]) => id === sentinel))
  return node.appended.filter(([id]) => id < 1_000_000)
}

const notify = (payload: string) =>
  database.query(`select pg_notify('tailrace_appended', $1)`, [payload])

const sessions = () =>
  database.query<{ pid: number }>(
    `select pid from pg_stat_activity
      where datname = current_database() and application_name = 'tailrace listen'`,
  )

describe('nodes over one database', () => {
  it('tell each other, and not themselves', async () => {
    const [one, two, three] = [await startNode(), await startNode(), await startNode()]
    one.notifications.tell(1, 10)
    two.notifications.tell(2, 20)
    expect(await heardBy(three, two)).toContainEqual([2, 20])
    expect(await heardBy(three, one)).toContainEqual([1, 10])
    expect(await heardBy(one, two)).toEqual([[2, 20]])
    expect(await heardBy(two, one)).toEqual([[1, 10]])
  })

  it('tell of many partitions at once, and of each what it came to', async () => {
    const [one, two] = [await startNode(), await startNode()]
    for (const end of [1, 2, 9_007_199_254_740_991]) {
      for (let id = 1; id <= 1000; id++) one.notifications.tell(id, end)
    }
    const heard = new Map(await heardBy(two, one))
    expect(heard.size).toBe(1000)
    expect(new Set(heard.values())).toEqual(new Set([9_007_199_254_740_991]))
    // They were told together.
    expect(two.appended.length).toBeLessThan(1100)
  })

  it('tell on and on', async () => {
    const [one, two] = [await startNode(), await startNode()]
    for (let end = 1; end <= 200; end++) {
      one.notifications.tell(7, end)
      if (end % 10 === 0) await heardBy(two, one)
    }
    const heard = (await heardBy(two, one)).map(([, end]) => end)
    expect(heard.at(-1)).toBe(200)
    expect(heard).toEqual([...heard].sort((a, b) => a - b))
  })

  it('do not hear those of another database', async () => {
    const other = await createTestDatabase('empty')
    try {
      const [here, there, peer] = [await startNode(), await startNode(other.url), await startNode()]
      there.notifications.tell(5, 5)
      expect(await heardBy(here, peer)).toEqual([])
      await there.notifications.close()
    } finally {
      await other.drop()
    }
  })
})

describe('what is said on the channel by others', () => {
  it.each([
    '',
    ' ',
    'garbage',
    '?',
    '? 1:1',
    'node',
    'node ',
    'node x',
    'node 1',
    'node 1:x',
    'node x:1',
    'node 1.5:1',
    'node 99999999999999999999:1',
    'node 1:99999999999999999999',
    'node 1:NaN',
    'node 1:Infinity',
    'x'.repeat(7999),
    'é 😀',
  ])('is passed over where it makes no sense: %s', async (payload) => {
    const [one, two] = [await startNode(), await startNode()]
    await notify(payload)
    expect(await heardBy(one, two)).toEqual([])
    expect(one.deaf).toEqual([])
  })

  it('is heard as far as it makes sense', async () => {
    const [one, two] = [await startNode(), await startNode()]
    await notify('node x,1:2,3:x,4:9007199254740991')
    expect(await heardBy(one, two)).toEqual([
      [1, 2],
      [4, 9_007_199_254_740_991],
    ])
  })
})

describe('a connection that is lost', () => {
  it('is told once, and made anew', async () => {
    const [one, two] = [await startNode(), await startNode()]
    for (let n = 1; n <= 2; n++) {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'tailrace listen'`,
      )
      await until(() => one.listening === n + 1 && two.listening === n + 1)
      expect(one.deaf).toHaveLength(n)
      expect(one.deaf.at(-1)).toBeInstanceOf(Error)
      two.notifications.tell(n, n)
      expect(await heardBy(one, two)).toContainEqual([n, n])
    }
    await until(async () => (await sessions()).length === 2)
  })

  it('loses what is told meanwhile, and nothing else', async () => {
    const [one, two] = [await startNode(), await startNode()]
    const { pid } = (
      await database.query<{ pid: number }>(
        `select pid from pg_stat_activity
        where datname = current_database() and application_name = 'tailrace listen'
        order by backend_start limit 1`,
      )
    )[0]!
    await database.query('select pg_terminate_backend($1)', [pid])
    await until(() => one.deaf.length === 1)
    one.notifications.tell(1, 1)
    await until(() => one.listening === 2)
    one.notifications.tell(2, 2)
    expect(await heardBy(two, one)).toEqual([[2, 2]])
  })

  it('is tried until there is a database, and told of once', async () => {
    const url = new URL(database.url)
    url.pathname += '_later'
    const name = url.pathname.slice(1)
    const node = createNode(url.href)
    node.notifications.start()
    await until(() => node.deaf.length === 1)
    node.notifications.tell(1, 1)
    await database.query(`create database ${name}`)
    try {
      await until(() => node.listening === 1)
      expect(node.deaf).toHaveLength(1)
    } finally {
      await node.notifications.close()
      await database.query(`drop database ${name} with (force)`)
    }
  })
})

it('notices a connection on which nothing comes any more, and makes another', async () => {
  const proxy = await openPostgresProxy(database.url)
  onTestFinished(() => proxy.close())
  const other = await startNode()
  const node = await startNode(proxy.url)
  proxy.freeze()
  other.notifications.tell(1, 1)
  await until(() => node.deaf.length === 1)
  await until(() => node.listening === 2)
  expect(await heardBy(node, other)).toEqual([])
  await node.notifications.close()
}, 60_000)

describe('behind a pooler that brings no notifications', () => {
  it('finds that out, says so once, and is silent', async () => {
    const proxy = await openDeafProxy(database.url)
    onTestFinished(() => proxy.close())
    const other = await startNode()
    const node = createNode(proxy.url)
    node.notifications.start()
    await until(() => node.deaf.length === 1)
    expect(String(node.deaf[0])).toContain('LISTEN brings nothing')
    node.notifications.tell(1, 1)
    expect(await heardBy(other, await startNode())).toEqual([])
    expect(node).toMatchObject({ appended: [], listening: 0 })
    await node.notifications.close()
  })
})

describe('closing', () => {
  it('ends the session, and no more is heard, said or tried', async () => {
    const node = await startNode()
    const other = await startNode()
    await node.notifications.close()
    node.notifications.tell(1, 1)
    other.notifications.tell(2, 2)
    await until(async () => (await sessions()).length === 1)
    expect(node).toMatchObject({ appended: [], deaf: [], listening: 1 })
    await node.notifications.close()
  })

  it('in the middle of telling does no harm', async () => {
    const node = await startNode()
    for (let id = 1; id <= 1000; id++) node.notifications.tell(id, 1)
    await node.notifications.close()
    await until(async () => (await sessions()).length === 0)
    expect(node.deaf).toEqual([])
  })

  it('before it listens, or before it was started, does no harm', async () => {
    await createNode().notifications.close()
    for (let turns = 0; turns < 20; turns++) {
      const node = createNode()
      node.notifications.start()
      for (let k = 0; k < turns; k++) await new Promise(setImmediate)
      await node.notifications.close()
      expect(node.deaf).toEqual([])
    }
    await until(async () => (await sessions()).length === 0)
  })

  const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const SOURCE = new URL('../../src/store/notifications.ts', import.meta.url).href

  /** Runs a script with a node in a process of its own, which ends only when nothing holds it. */
  async function run(url: string, script: string): Promise<string> {
    const code = `
      import { setTimeout as sleep } from 'node:timers/promises'
      import { Notifications } from ${JSON.stringify(SOURCE)}
      const seen = { appended: 0, listening: 0, deaf: 0 }
      const node = new Notifications({ connectionString: ${JSON.stringify(url)} }, {
        appended: () => seen.appended++,
        listening: () => seen.listening++,
        deaf: () => seen.deaf++,
      })
      const until = async (isSo) => { while (!isSo()) await sleep(5) }
      ${script}
      console.log('closed')`
    const child = spawn(
      process.execPath,
      ['--import', TSX, '--input-type=module', '--eval', code],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    onTestFinished(() => void child.kill())
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect(child.exitCode).toBe(0)
    return output
  }

  it.each([
    ['while it listens', 'node.start(); await until(() => seen.listening)'],
    ['with something to tell', 'node.start(); await until(() => seen.listening); node.tell(1, 1)'],
    ['while it connects', 'node.start()'],
    ['while it tests', 'node.start(); await sleep(20)'],
  ])('holds the process no longer: %s', async (_, script) => {
    expect(await run(database.url, `${script}; await node.close()`)).toBe('closed\n')
  })

  it('holds the process no longer while it waits to try again', async () => {
    const script = 'node.start(); await until(() => seen.deaf); await node.close()'
    const nowhere = new URL(database.url)
    nowhere.pathname = '/nowhere'
    expect(await run(nowhere.href, script)).toBe('closed\n')
  })
})
