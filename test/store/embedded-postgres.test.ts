import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import type { EmbeddedPostgres } from '../../src/store/embedded/launcher.ts'
import {
  DataDirectoryInUse,
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from '../../src/store/embedded/launcher.ts'

const CHILD = fileURLToPath(new URL('../support/embedded-child.ts', import.meta.url))
const IS_ROOT = process.getuid?.() === 0
const silent = () => undefined
const log = { info: silent, warn: silent, error: silent }

const folders: string[] = []
const started: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()))
  await Promise.all(children.splice(0).map(endChild))
  for (const folder of folders.splice(0)) removeWithLinkedHome(folder)
})

/** Open to all, as any home is not: with mkdtemp's 0700 root's data would go to /var/lib. */
function newFolder(mode = 0o755): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tailrace-test-')))
  chmodSync(folder, mode)
  folders.push(folder)
  return folder
}

function removeWithLinkedHome(folder: string): void {
  const link = join(folder, 'data', 'postgres')
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) {
    rmSync(readlinkSync(link), { recursive: true, force: true })
    if (readdirSync('/var/lib/tailrace').length === 0) rmdirSync('/var/lib/tailrace')
  }
  rmSync(folder, { recursive: true, force: true })
}

async function start(data_dir: string): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ data_dir, log })
  started.push(postgres)
  return postgres
}

async function startAndStop(data_dir: string): Promise<string> {
  const postgres = await start(data_dir)
  await postgres.stop()
  return postgres.data_path
}

/** Answers with the child's one line. */
async function startChild(data_dir: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, data_dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => {
      resolve(data.toString())
    })
    child.once('error', reject)
  })
  type Said = { socket_dir?: string; postmaster: number; name?: string; message?: string }
  return { child, ...(JSON.parse(line) as Said) }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

async function query(socket_dir: string, sql: string): Promise<Record<string, unknown>[]> {
  const where = { host: socket_dir, port: 5432, user: 'tailrace', database: 'tailrace' }
  const client = new Client(where)
  client.on('error', silent)
  try {
    await client.connect()
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows
  } finally {
    await client.end()
  }
}

async function until(isSo: () => boolean | Promise<boolean>, patience_ms: number) {
  const begun = Date.now()
  while (!(await isSo())) {
    if (Date.now() - begun > patience_ms) throw new Error(`not within ${patience_ms} ms`)
    await sleep(10)
  }
  return Date.now() - begun
}

const answers = (postgres: EmbeddedPostgres) =>
  query(postgres.socket_dir, 'select 1').then(
    () => true,
    () => false,
  )

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('embedded Postgres', { timeout: 60_000 }, () => {
  test('starts in an empty folder and keeps what it was given', async () => {
    const data_dir = join(newFolder(), 'data')
    const first = await start(data_dir)
    expect(first.binaries).toMatch(/^Postgres \d+\.\d+ from /)
    expect(readFileSync(join(data_dir, '.gitignore'), 'utf8')).toBe('*\n')
    await query(first.socket_dir, 'create table kept as select 42 as answer')
    await first.stop()
    expect(first.pid()).toBeUndefined()
    const second = await start(data_dir)
    expect(await query(second.socket_dir, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('is durable, private and off the network, whatever the settings', async () => {
    const settings = { work_mem: '8MB', port: '1', listen_addresses: '*' }
    const data_dir = join(newFolder(), 'data')
    const postgres = await startEmbeddedPostgres({ data_dir, log, settings })
    started.push(postgres)
    const { socket_dir } = postgres
    const names = `'fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'work_mem'`
    const sql = `select name, setting from pg_settings where name in (${names})`
    const shown = await query(socket_dir, sql)
    expect(Object.fromEntries(shown.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      work_mem: '8192',
    })
    expect(statSync(socket_dir).mode & 0o777).toBe(0o700)
    expect(await query(socket_dir, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }])
  })

  test('refuses a second start, even while a killed Postgres comes back', async () => {
    const data_dir = join(newFolder(), 'data')
    const postgres = await start(data_dir)
    const begun = Date.now()
    const refusal = await start(data_dir).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(DataDirectoryInUse)
    expect((refusal as Error).message).toContain(`process ${process.pid}`)
    expect((refusal as Error).message).toContain(data_dir)
    expect(Date.now() - begun).toBeLessThan(2000)
    expect(await answers(postgres)).toBe(true)

    process.kill(postgres.pid() as number, 'SIGKILL')
    await expect(start(data_dir)).rejects.toThrow(DataDirectoryInUse)
    await until(() => answers(postgres), 5000)
  })

  test('refuses a second process, until the first is killed; then nothing is left of it', async () => {
    const data_dir = join(newFolder(), 'data')
    const { child, socket_dir = '', postmaster } = await startChild(data_dir)
    await query(socket_dir, 'create table kept as select 42 as answer')
    await expect(start(data_dir)).rejects.toThrow(`kill ${String(child.pid)}`)

    child.kill('SIGKILL')
    await until(() => !isRunning(postmaster), 5000)
    const second = await start(data_dir)
    expect(await query(second.socket_dir, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('starts at once after a kill, while the old Postgres is still leaving', async () => {
    const data_dir = join(newFolder(), 'data')
    const { child, postmaster } = await startChild(data_dir)
    child.kill('SIGKILL')
    const postgres = await start(data_dir)
    expect(await answers(postgres)).toBe(true)
    expect(isRunning(postmaster)).toBe(false)
  })

  test('of servers starting at the same moment one wins, unharmed', async () => {
    const data_dir = join(newFolder(), 'data')
    for (const round of ['first start', 'later start']) {
      const answers_ = await Promise.all([1, 2, 3].map(() => startChild(data_dir)))
      const winners = answers_.filter((answer) => answer.socket_dir)
      const losers = answers_.filter((answer) => answer.name)
      expect(winners, round).toHaveLength(1)
      expect(losers.map((loser) => loser.name)).toEqual([
        'DataDirectoryInUse',
        'DataDirectoryInUse',
      ])
      expect(await query(winners[0]?.socket_dir ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
      await Promise.all(children.splice(0).map(endChild))
    }
    expect(readdirSync(join(data_dir, 'postgres'))).not.toContainEqual(
      expect.stringMatching('new-'),
    )
  })

  test('a killed Postgres comes back, again and again', async () => {
    const postgres = await start(join(newFolder(), 'data'))
    await query(postgres.socket_dir, 'create table kept as select 42 as answer')
    for (const round of [1, 2, 3]) {
      const killed = postgres.pid() as number
      process.kill(killed, 'SIGKILL')
      await until(() => postgres.pid() !== killed && answers(postgres), 5000)
      const rows = await query(postgres.socket_dir, 'select answer from kept')
      expect(rows, `round ${round}`).toEqual([{ answer: 42 }])
    }
  })

  test('stop ends it even while it is being started again', async () => {
    const postgres = await start(join(newFolder(), 'data'))
    const killed = postgres.pid() as number
    process.kill(killed, 'SIGKILL')
    await until(() => postgres.pid() !== killed, 1000)
    await Promise.all([postgres.stop(), postgres.stop()])
    await sleep(300)
    expect(postgres.pid()).toBeUndefined()
    expect(await answers(postgres)).toBe(false)
  })

  test('takes spaces, commas and quotes in the path, and a path too long for a socket', async () => {
    const odd = join(newFolder(), `my "data", it's here`)
    expect(await answers(await start(odd))).toBe(true)

    const long = join(newFolder(), 'x'.repeat(120), 'y'.repeat(120), 'data')
    const postgres = await start(long)
    expect(postgres.socket_dir.startsWith(long)).toBe(false)
    expect(statSync(postgres.socket_dir).mode & 0o777).toBe(0o700)
    expect(await answers(postgres)).toBe(true)
    await postgres.stop()
    expect(existsSync(postgres.socket_dir)).toBe(false)
  })

  test('finds its data after the folder was moved', async () => {
    const folder = newFolder()
    const postgres = await start(join(folder, 'data'))
    await query(postgres.socket_dir, 'create table kept as select 42 as answer')
    await postgres.stop()
    renameSync(join(folder, 'data'), join(folder, 'moved'))
    const moved = await start(join(folder, 'moved'))
    expect(await query(moved.socket_dir, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test('recovers from a server killed in the middle of its first start', async () => {
    const data_dir = join(newFolder(), 'data')
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, data_dir], { stdio: 'ignore' })
    children.push(child)
    const home = join(data_dir, 'postgres')
    const isBusy = () => existsSync(home) && readdirSync(home).some((n) => n.includes('.new-'))
    await until(isBusy, 10_000)
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await answers(await start(data_dir))).toBe(true)
  })

  test('sees through a pid that has been used again', async () => {
    const data_dir = join(newFolder(), 'data')
    const data_path = await startAndStop(data_dir)
    // As kill -9 leaves them, but by now the number belongs to a process that is no Postgres.
    const lock = [process.pid, join(data_path, 'cluster'), 1, 5432, '', '', '', 'ready'].join('\n')
    writeFileSync(join(data_path, 'cluster', 'postmaster.pid'), lock)
    writeFileSync(join(data_path, 'socket', '.s.PGSQL.5432.lock'), lock)
    const owner = { pid: process.pid, started: 'another time' }
    writeFileSync(join(data_path, 'server.pid'), JSON.stringify(owner))
    expect(await answers(await start(data_dir))).toBe(true)
  })

  test('refuses data of another major version with what to do', async () => {
    const data_dir = join(newFolder(), 'data')
    const data_path = await startAndStop(data_dir)
    writeFileSync(join(data_path, 'cluster', 'PG_VERSION'), '9\n')
    const refusal = await start(data_dir).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(EmbeddedPostgresError)
    expect((refusal as Error).message).toMatch(/made by Postgres 9.*install Postgres 9/s)
  })

  test('says what Postgres said when it does not start, and leaves nothing running', async () => {
    const data_dir = join(newFolder(), 'data')
    const settings = { work_mem: 'plenty' }
    const failure = await startEmbeddedPostgres({ data_dir, log, settings }).catch(String)
    expect(failure).toMatch(/invalid value for parameter "work_mem"/)
    expect(await answers(await start(data_dir))).toBe(true)
  })

  test('sets a large log aside', async () => {
    const data_dir = join(newFolder(), 'data')
    const data_path = await startAndStop(data_dir)
    writeFileSync(join(data_path, 'postgres.log'), Buffer.alloc(11 * 1024 * 1024, 'x\n'))
    await start(data_dir)
    expect(statSync(join(data_path, 'postgres.log')).size).toBeLessThan(100_000)
    expect(existsSync(join(data_path, 'postgres.log.1'))).toBe(true)
  })

  if (IS_ROOT) {
    test('as root, puts the data where its account can reach them', async () => {
      const folder = newFolder(0o700)
      const data_dir = join(folder, 'data')
      const first = await start(data_dir)
      expect(dirname(first.data_path)).toBe('/var/lib/tailrace')
      expect(readlinkSync(join(data_dir, 'postgres'))).toBe(first.data_path)
      await query(first.socket_dir, 'create table kept as select 42 as answer')
      await first.stop()
      const second = await start(data_dir)
      expect(second.data_path).toBe(first.data_path)
      expect(await query(second.socket_dir, 'select answer from kept')).toEqual([{ answer: 42 }])
    })

    test('as root, says so when the linked data are gone', async () => {
      const data_dir = join(newFolder(0o700), 'data')
      const { data_path, stop } = await start(data_dir)
      await stop()
      rmSync(data_path, { recursive: true })
      await expect(start(data_dir)).rejects.toThrow(/that folder is gone/)
    })

    test('as root, refuses an existing folder of root and leaves it alone', async () => {
      const data_dir = join(newFolder(), 'data')
      mkdirSync(join(data_dir, 'postgres'), { recursive: true })
      await expect(start(data_dir)).rejects.toThrow(/belongs to root/)
      expect(statSync(join(data_dir, 'postgres')).uid).toBe(0)
    })
  }
})
