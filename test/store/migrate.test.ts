import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { call, getReadiness, getTopic, listTopics } from '../../src/client/index.ts'
import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { startServer, type RunningServer } from '../../src/server.ts'
import { migrate, readMigrations, SchemaError, type Migration } from '../../src/store/migrate.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { produce, storedRecords } from '../support/records.ts'
import { schemaOf } from '../support/schema.ts'

let migrations: readonly Migration[]
let names: string[]
beforeAll(async () => {
  migrations = await readMigrations()
  names = migrations.map(({ name }) => name)
})

const databases: TestDatabase[] = []
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop()
})

async function create(from: 'empty' | 'template' = 'empty'): Promise<TestDatabase> {
  const database = await createTestDatabase(from)
  databases.push(database)
  return database
}

const address = (database: TestDatabase) => ({ connectionString: database.url })
const run = (database: TestDatabase, some = migrations) => migrate(address(database), some)

async function start(database: TestDatabase): Promise<RunningServer> {
  const config = readConfig({
    TAILRACE_PORT: '0',
    TAILRACE_LOG_LEVEL: 'silent',
    DATABASE_URL: database.url,
  })
  const server = await startServer(config, createLogger(config.log_level))
  onTestFinished(() => server.stop())
  return server
}

describe('migrations', () => {
  it('are numbered from 1 without a gap', () => {
    expect(migrations.length).toBeGreaterThan(0)
    expect(migrations.map(({ version }) => version)).toEqual(names.map((_, index) => index + 1))
  })

  it('are applied in order, once', async () => {
    const database = await create()
    const told: string[] = []
    expect(await migrate(address(database), migrations, (name) => told.push(name))).toEqual(names)
    expect(told).toEqual(names)
    const schema = await schemaOf(database)
    expect(await run(database)).toEqual([])
    expect(await schemaOf(database)).toEqual(schema)
  })

  it('lead to the same schema from wherever they are taken up', async () => {
    const expected = await schemaOf(await create('template'))
    for (let count = 0; count <= migrations.length; count++) {
      const database = await create()
      expect(await run(database, migrations.slice(0, count))).toEqual(names.slice(0, count))
      expect(await run(database)).toEqual(names.slice(count))
      expect(await schemaOf(database)).toEqual(expected)
    }
  })

  it('are applied once by servers that start at the same time', async () => {
    const database = await create()
    const applied = await Promise.all(Array.from({ length: 4 }, () => run(database)))
    expect(applied.flat().sort()).toEqual(names)
    expect(applied.filter((list) => list.length > 0)).toHaveLength(1)
    expect(await schemaOf(database)).toEqual(await schemaOf(await create('template')))
  })

  it('that fail leave the schema as it was, and are taken up again', async () => {
    const database = await create()
    const [first, ...rest] = migrations as [Migration, ...Migration[]]
    const broken = { ...rest[0]!, sql: `${rest[0]!.sql}; select 1 / 0` }
    await expect(run(database, [first, broken, ...rest.slice(1)])).rejects.toThrow(
      'division by zero',
    )
    expect((await schemaOf(database)).filter((thing) => /^migration \d/.test(thing))).toHaveLength(
      1,
    )
    expect(await run(database)).toEqual(names.slice(1))
  })

  it('do not depend on the order in which the folder lists them, nor on other files in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tailrace-migrations-'))
    for (const name of ['0002-b.sql', 'README.md', '0001-a.sql', '0003-c.sql.orig', '3-d.sql']) {
      await writeFile(join(folder, name), `-- ${name}`)
    }
    const read = await readMigrations(pathToFileURL(`${folder}/`))
    await rm(folder, { recursive: true })
    expect(read.map(({ version, name }) => [version, name])).toEqual([
      [1, '0001-a.sql'],
      [2, '0002-b.sql'],
    ])
  })
})

describe('a schema that is not one of this program', () => {
  it('is refused where it is newer, and left as it is', async () => {
    const database = await create()
    await run(database)
    const older = migrations.slice(0, -1)
    await expect(run(database, older)).rejects.toThrow(SchemaError)
    await expect(run(database, older)).rejects.toThrow(
      `is at version ${String(migrations.length)}, this program knows up to ${String(older.length)}`,
    )
    await database.query(`insert into tailrace.migrations values (9999, '9999-future.sql', 'x')`)
    const schema = await schemaOf(database)
    await expect(start(database)).rejects.toThrow('at version 9999')
    expect(await schemaOf(database)).toEqual(schema)
  })

  it('is refused where it is newer and lacks one of ours', async () => {
    const database = await create()
    await run(database, migrations.slice(0, 2))
    await database.query(`insert into tailrace.migrations values (9999, '9999-future.sql', 'x')`)
    await expect(run(database)).rejects.toThrow(SchemaError)
    const rows = await database.query('select from tailrace.migrations')
    expect(rows).toHaveLength(3)
  })

  it('is refused where a migration was edited, by its name', async () => {
    const database = await create()
    await run(database)
    const edited = migrations.map((one) =>
      one.version === 2 ? { ...one, checksum: 'other' } : one,
    )
    await expect(run(database, edited)).rejects.toThrow(SchemaError)
    await expect(run(database, edited)).rejects.toThrow(names[1])
  })
})

describe('a server', () => {
  it('upgrades an older schema, keeping what is in it', async () => {
    const database = await create()
    await run(database, migrations.slice(0, 2))
    await database.query(`
      insert into tailrace.topics (name, partitions, first_partitions) values ('old', 1, 1);
      insert into tailrace.partitions (topic_id, partition) select topic_id, 0 from tailrace.topics;
      insert into tailrace.log_starts (partition_id) select partition_id from tailrace.partitions;
      insert into tailrace.batches
        (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
      select partition_id, 0, 2, '2026-01-01Z', 0, 0, E'{"value":1}\\n{"value":2}\\n' from tailrace.partitions`)
    const server = await start(database)
    await produce(server.url, 'old', [{ value: 3 }])
    expect(await storedRecords(server.url, 'old')).toEqual([
      '{"value":1}',
      '{"value":2}',
      '{"value":3}',
    ])
    expect(await schemaOf(database)).toEqual(await schemaOf(await create('template')))
    const { checks } = await call(server.url, getReadiness)
    expect(checks.schema).toBe('ok')
  })

  it('makes the schema of an empty database', async () => {
    const server = await start(await create())
    expect((await call(server.url, listTopics)).topics).toEqual([])
    await produce(server.url, 'new', [{ value: 1 }])
    expect(await call(server.url, getTopic, { params: { topic: 'new' } })).toMatchObject({
      name: 'new',
    })
  })

  it('says that it is not ready while the schema is another', async () => {
    const database = await create()
    const server = await start(database)
    await database.query(`insert into tailrace.migrations values (9999, '9999-future.sql', 'x')`)
    const response = await fetch(`${server.url}/readyz`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ checks: { database: 'ok', schema: 'failed' } })
  })
})
