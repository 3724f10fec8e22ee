import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { call, createTopic, produceBody, send } from '../../src/client/index.ts'
import { readMigrations } from '../../src/store/migrate.ts'
import { expectProblem } from '../support/answers.ts'
import { openHolder } from '../support/locks.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  runCommand,
  startServerProcess,
  type Ended,
  type ServerProcess,
} from '../support/process.ts'
import { until, within } from '../support/within.ts'

/** The commands over a database that is there already: how they start, how they fail, how they end. */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function serve(environment: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServerProcess({ DATABASE_URL: database.url, ...environment })
  cleanUps.push(() => server.stop('SIGKILL'))
  return server
}

/** The one sentence that a command which could not start has to say. */
function sentence({ code, stdout, stderr }: Ended, expected_code = 1): string {
  expect({ code, stdout }, stderr).toEqual({ code: expected_code, stdout: '' })
  const lines = stderr.split('\n').filter((line) => line !== '')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^tailrace: [A-Z].*/)
  return lines[0]!
}

async function listen(): Promise<{ taken: Server; port: number }> {
  const taken = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(taken, 'listening')
  cleanUps.push(() => taken.close())
  return { taken, port: (taken.address() as { port: number }).port }
}

describe('serve', () => {
  it('says so where the port is taken, and what to do', async () => {
    const { port } = await listen()
    const environment = { DATABASE_URL: database.url, TAILRACE_PORT: String(port) }
    const said = sentence(await runCommand(['serve'], environment).ended)
    expect(said).toBe(
      `tailrace: Port ${String(port)} on 127.0.0.1 is taken. Stop what listens there, or set TAILRACE_PORT.`,
    )
  })

  it.each([
    ['nobody listens', 'postgres://user:hunter2@127.0.0.1:1/db', /127\.0\.0\.1:1.*ECONNREFUSED/],
    [
      'nobody listens, on either address',
      'postgres://user:hunter2@localhost:1/db',
      /localhost:1.*ECONNREFUSED/,
    ],
    [
      'there is no such host',
      'postgres://user:hunter2@nowhere.invalid/db',
      /nowhere\.invalid.*(ENOTFOUND|EAI_AGAIN)/,
    ],
    ['there is no such socket', 'postgres://user:hunter2@/db?host=/nowhere', /nowhere.*ENOENT/],
    [
      'the password is in the query',
      'postgres://127.0.0.1:1/db?user=u&password=hunter2',
      /ECONNREFUSED/,
    ],
    ['the address cannot be read', 'postgres://user:hunter2/x@127.0.0.1:1/db', /The database/],
  ])(
    'says in one sentence that the database cannot be reached, without its password: %s',
    async (_, url, pattern) => {
      const ended = await runCommand(['serve'], { DATABASE_URL: url, TAILRACE_PORT: '0' }).ended
      expect(ended.stderr).not.toContain('hunter2')
      expect(sentence(ended)).toMatch(pattern)
    },
  )

  it('says so where the database has no such name', async () => {
    const url = new URL(database.url)
    url.pathname = '/no_such_database'
    const ended = await runCommand(['serve'], { DATABASE_URL: url.href, TAILRACE_PORT: '0' }).ended
    expect(sentence(ended)).toContain('no_such_database')
  })

  it('gives up on a database that does not say a word', async () => {
    const { port } = await listen()
    const url = `postgres://user:hunter2@127.0.0.1:${String(port)}/db`
    const command = runCommand(['serve'], { DATABASE_URL: url, TAILRACE_PORT: '0' })
    cleanUps.push(() => command.stop('SIGKILL'))
    const ended = await within(10_000, command.ended)
    expect(ended.stderr).not.toContain('hunter2')
    expect(sentence(ended)).toContain(`127.0.0.1:${String(port)}`)
  })

  it('names what is wrong with the configuration, and exits with 2', async () => {
    const { code, stderr } = await runCommand(['serve'], {
      TAILRACE_PROT: '1',
      TAILRACE_LOG_LEVEL: 'loud',
    }).ended
    expect(code).toBe(2)
    expect(stderr).toContain(
      'TAILRACE_PROT: is not a variable of Tailrace; did you mean TAILRACE_PORT?',
    )
    expect(stderr).toContain('TAILRACE_LOG_LEVEL: ')
  })

  it('honours PORT, as platforms set it', async () => {
    const { taken, port } = await listen()
    await new Promise((resolve) => taken.close(resolve))
    const command = runCommand(['serve'], { DATABASE_URL: database.url, PORT: String(port) })
    cleanUps.push(() => command.stop('SIGKILL'))
    await command.said(new RegExp(`listening on http://127\\.0\\.0\\.1:${String(port)} `))
  })

  it('shows no secret of the database, neither when it starts nor when connections are lost', async () => {
    const url = new URL(database.url)
    url.password = 'hunter2'
    const server = await serve({ DATABASE_URL: url.href, TAILRACE_LOG_LEVEL: 'trace' })
    await call(server.url, produceBody, { params: { topic: 'secret' }, body: 'x' })
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await until(() => server.stderr().includes('a database connection was lost'))
    // Until the server has heard of each lost connection, one of them may still be tried.
    const produce = () => send(server.url, produceBody, { params: { topic: 'secret' }, body: 'y' })
    await until(async () => (await produce()).status === 200)
    const { stdout, stderr } = await server.stop()
    expect(stdout + stderr).not.toContain('hunter2')
    expect(stdout).toContain('Records are stored in Postgres at postgres://***@')
    // An error of the pool carries its whole client, with the key that cancels its queries.
    expect(stderr).not.toContain('secretKey')
    expect(stderr).not.toContain('connectionParameters')
  })
})

describe('a signal', () => {
  /** A produce that waits for a partition which somebody else has locked. */
  async function stuckProduce(server: ServerProcess, topic: string) {
    await call(server.url, createTopic, { body: { name: topic } })
    const [row] = await database.query<{ id: string }>(
      `select partition_id as id from tailrace.partitions join tailrace.topics using (topic_id)
       where name = $1`,
      [topic],
    )
    const holder = await openHolder(database.url)
    await holder.lock(Number(row!.id))
    const answer = send(server.url, produceBody, { params: { topic }, body: 'x' })
    answer.catch(() => undefined)
    await until(async () => {
      const waiting = await database.query(
        `select from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())`,
      )
      return waiting.length > 0
    })
    return { answer, holder }
  }

  it('lets a produce that waits for its partition finish', async () => {
    const server = await serve()
    const { answer, holder } = await stuckProduce(server, 'patient')
    server.child.kill('SIGTERM')
    await until(() => server.stderr().includes('stopping'))
    await holder.release()
    expect((await answer).status).toBe(200)
    expect(await server.ended).toMatchObject({ code: 0, signal: null })
  })

  it('lets it be refused in time, too', async () => {
    const server = await serve()
    const { answer, holder } = await stuckProduce(server, 'refused')
    server.child.kill('SIGTERM')
    await expectProblem(await answer, 'partition_busy', { written: 'no' })
    expect(await server.ended).toMatchObject({ code: 0, signal: null })
    await holder.release()
  })

  it('that comes a second time ends it at once', async () => {
    const server = await serve()
    const { answer, holder } = await stuckProduce(server, 'forced')
    server.child.kill('SIGTERM')
    await until(() => server.stderr().includes('stopping'))
    server.child.kill('SIGTERM')
    const { code } = await server.ended
    expect(code).not.toBe(0)
    await expect(answer).rejects.toThrow()
    await holder.release()
  })
})

describe('migrate', () => {
  it('says what it applied, and the next time that there is nothing to do', async () => {
    const empty = await createTestDatabase('empty')
    cleanUps.push(() => empty.drop())
    const names = (await readMigrations()).map(({ name }) => name)
    const first = await runCommand(['migrate'], { DATABASE_URL: empty.url }).ended
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toBe(names.map((name) => `applied  ${name}\n`).join(''))
    const second = await runCommand(['migrate'], { DATABASE_URL: empty.url }).ended
    expect(second).toMatchObject({ code: 0, stdout: 'The schema is up to date.\n', stderr: '' })
  })

  it('says in one sentence why it cannot', async () => {
    const url = 'postgres://user:hunter2@127.0.0.1:1/db'
    const said = sentence(await runCommand(['migrate'], { DATABASE_URL: url }).ended)
    expect(said).toContain('ECONNREFUSED')
    expect(said).not.toContain('hunter2')
  })
})

describe('healthcheck', () => {
  it('exits with 0 where a server is ready', async () => {
    const server = await serve()
    const { port } = new URL(server.url)
    const ready = { code: 0, stdout: 'ready\n', stderr: '' }
    expect(await runCommand(['healthcheck', server.url]).ended).toMatchObject(ready)
    expect(await runCommand(['healthcheck'], { TAILRACE_PORT: port }).ended).toMatchObject(ready)
    expect(await runCommand(['healthcheck'], { PORT: port }).ended).toMatchObject(ready)
  })

  it('exits with 6 where there is none, and where one is not ready, and says which', async () => {
    const none = await runCommand(['healthcheck', 'http://127.0.0.1:1']).ended
    expect(none).toMatchObject({
      code: 6,
      stdout: '',
      stderr: expect.stringMatching(/^not ready: \S/),
    })
    const own = await createTestDatabase()
    cleanUps.push(() => own.drop())
    const server = await serve({ DATABASE_URL: own.url })
    await own.query(`insert into tailrace.migrations values (9999, '9999-future.sql', 'x')`)
    const other = await runCommand(['healthcheck', server.url]).ended
    expect(other).toMatchObject({
      code: 6,
      stdout: '',
      stderr: expect.stringMatching(/^not ready: .*schema/),
    })
  })
})
