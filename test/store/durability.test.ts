import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { startServer, StartError, type RunningServer } from '../../src/server.ts'
import { durabilityProblems } from '../../src/store/durability.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded/launcher.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const problems = (url = database.url) => durabilityProblems({ connectionString: url })

async function start(environment: Record<string, string> = {}): Promise<RunningServer> {
  const config = readConfig({
    TAILRACE_PORT: '0',
    TAILRACE_LOG_LEVEL: 'silent',
    DATABASE_URL: database.url,
    ...environment,
  })
  const server = await startServer(config, createLogger(config.log_level))
  onTestFinished(() => server.stop())
  return server
}

/** Sets synchronous_commit for all sessions of this test's database. */
async function setCommit(value: string): Promise<void> {
  const name = new URL(database.url).pathname.slice(1)
  await database.query(`alter database ${name} set synchronous_commit = ${value}`)
}

describe('durabilityProblems', () => {
  it('are none as Postgres comes', async () => {
    expect(await problems()).toEqual([])
  })

  it.each(['on', 'local', 'remote_write', 'remote_apply'])(
    'are none with synchronous_commit = %s',
    async (value) => {
      await setCommit(value)
      expect(await problems()).toEqual([])
    },
  )

  it('are a database that does not wait for its commits', async () => {
    await setCommit('off')
    expect(await problems()).toEqual(['synchronous_commit is off'])
    await setCommit('on')
  })

  it('are an address that turns it off', async () => {
    const url = new URL(database.url)
    url.searchParams.set('options', '-c synchronous_commit=off')
    expect(await problems(url.href)).toEqual(['synchronous_commit is off'])
  })
})

describe('a server over a database that does not keep what it acknowledges', () => {
  it('does not start, and says why and what to do', async () => {
    await setCommit('off')
    const refusal = expect(start()).rejects
    await refusal.toThrow(StartError)
    await expect(start()).rejects.toThrow(
      /synchronous_commit is off.*TAILRACE_ALLOW_UNSAFE_DURABILITY=true/,
    )
  })

  it('starts where the operator has said so', async () => {
    await setCommit('off')
    const server = await start({ TAILRACE_ALLOW_UNSAFE_DURABILITY: 'true' })
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

describe('a Postgres with fsync off', () => {
  let folder: string
  let postgres: EmbeddedPostgres
  beforeAll(async () => {
    folder = await temporaryFolder('unsafe')
    const settings = { fsync: 'off', full_page_writes: 'off' }
    postgres = await startEmbeddedPostgres({ data_dir: folder, log: quiet, settings })
  })
  afterAll(async () => {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is named with all that is off', async () => {
    const { socket_dir, port, user, database: name } = postgres
    const found = await durabilityProblems({ host: socket_dir, port, user, database: name })
    expect(found.sort()).toEqual(['fsync is off', 'full_page_writes is off'])
  })
})
