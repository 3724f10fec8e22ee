import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import pg from 'pg'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded/launcher.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** What every measurement runs on: an empty Postgres of its own and a server process over it. */
export interface Stage {
  port: number
  /** Of the server's process. */
  pid: number
  database_url: string
  query: <Row extends pg.QueryResultRow>(sql: string) => Promise<Row[]>
  /** One more server over the same Postgres. */
  startNode: () => Promise<{ port: number; close: () => Promise<void> }>
  close: () => Promise<void>
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

export async function openStage(): Promise<Stage> {
  const folder = await temporaryFolder('bench')
  const postgres = await startEmbeddedPostgres({ data_dir: folder, log: quiet })
  const database_url = urlOf(postgres)
  const { child, port } = await startServer(database_url)
  return {
    port,
    pid: child.pid ?? 0,
    startNode: async () => {
      const node = await startServer(database_url)
      return { port: node.port, close: () => stopServer(node.child) }
    },
    database_url,
    query: (sql) => query(database_url, sql),
    close: async () => {
      await stopServer(child)
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function stopServer(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

function urlOf({ user, database, socket_dir, port }: EmbeddedPostgres): string {
  return `postgres://${user}@localhost:${String(port)}/${database}?host=${encodeURIComponent(socket_dir)}`
}

async function startServer(databaseUrl: string): Promise<{ child: ChildProcess; port: number }> {
  const script = new URL('server.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, DATABASE_URL: databaseUrl, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, port: Number(new URL(line.toString().trim()).port) }
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const result = await client.query<Row>(sql)
  await client.end()
  return result.rows
}
