import { rm } from 'node:fs/promises'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../src/store/embedded/launcher.ts'
import { migrate, readMigrations } from '../../src/store/migrate.ts'
import { temporaryFolder } from './temporary-folder.ts'

/**
 * One real Postgres for the whole run: TEST_DATABASE_URL, else an embedded one in a temporary folder. A
 * template database is migrated once; each test file copies it.
 */

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a database on the run's Postgres; put another name in it for another database. */
    database_url: string
    template: string
  }
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

async function embedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder('test')
  const postgres = await startEmbeddedPostgres({ data_dir: folder, log: quiet })
  const { user, database, socket_dir, port } = postgres
  return {
    url: `postgres://${user}@localhost:${String(port)}/${database}?host=${encodeURIComponent(socket_dir)}`,
    stop: async () => {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

let tearDown: () => Promise<void>

export async function setup(project: TestProject): Promise<void> {
  const given = process.env['TEST_DATABASE_URL']
  const { url, stop } = given ? { url: given, stop: () => Promise.resolve() } : await embedded()
  const template = `tailrace_template_${String(process.pid)}`
  await run(url, `create database ${template}`)
  const address = new URL(url)
  address.pathname = `/${template}`
  await migrate({ connectionString: address.href }, await readMigrations())
  project.provide('database_url', url)
  project.provide('template', template)
  tearDown = async () => {
    await run(url, `drop database ${template} with (force)`)
    await stop()
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

export async function teardown(): Promise<void> {
  await tearDown()
}
