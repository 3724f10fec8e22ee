import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/store/embedded/launcher.ts'
import { temporaryFolder } from './temporary-folder.ts'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A Postgres of the test's own, which can be frozen and killed; its supervisor starts it again. */
export class Outage {
  readonly url: string
  readonly #postgres: EmbeddedPostgres
  readonly #folder: string
  #frozen: number[] = []

  private constructor(postgres: EmbeddedPostgres, folder: string) {
    const { user, database, socket_dir, port } = postgres
    const host = encodeURIComponent(socket_dir)
    this.url = `postgres://${user}@localhost:${String(port)}/${database}?host=${host}`
    this.#postgres = postgres
    this.#folder = folder
  }

  static async create(): Promise<Outage> {
    const folder = await temporaryFolder('outage')
    return new Outage(await startEmbeddedPostgres({ data_dir: folder, log: quiet }), folder)
  }

  /** Stops the postmaster and all its children in their tracks; sockets stay open and say nothing. */
  async freeze(): Promise<void> {
    const postmaster = this.#postgres.pid()
    if (postmaster === undefined) throw new Error('Postgres is not running')
    process.kill(postmaster, 'SIGSTOP')
    this.#frozen = [postmaster, ...(await childrenOf(postmaster))]
    for (const pid of this.#frozen.slice(1)) process.kill(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.#frozen.splice(0).reverse()) {
      try {
        process.kill(pid, 'SIGCONT')
      } catch {
        // Gone meanwhile.
      }
    }
  }

  /** kill -9; the children notice and end by themselves. */
  kill(): void {
    const postmaster = this.#postgres.pid()
    if (postmaster !== undefined) process.kill(postmaster, 'SIGKILL')
  }

  /** Runs SQL on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 1000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end()
    }
  }

  async close(): Promise<void> {
    this.thaw()
    await this.#postgres.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** From /proc, as slim images have no ps; with ps, as others have no /proc. */
async function childrenOf(parent: number): Promise<number[]> {
  const processes = existsSync('/proc/self/stat') ? await processesOfProc() : await processesOfPs()
  return processes.flatMap(([pid, ppid]) => (ppid === parent ? [pid] : []))
}

async function processesOfProc(): Promise<[number, number][]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    pids.map(async (pid): Promise<[number, number]> => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      // "pid (name, which may hold anything) state ppid ..."
      return [Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]
    }),
  )
}

async function processesOfPs(): Promise<[number, number][]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
  return stdout.split('\n').map((line): [number, number] => {
    const [pid = 0, ppid = 0] = line.trim().split(/\s+/).map(Number)
    return [pid, ppid]
  })
}
