import { execFile, spawnSync } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, produceBody } from '../../src/client/index.ts'
import { curl } from '../support/curl.ts'
import { firstLines } from '../support/first-lines.ts'
import { runCommand, startServerProcess, type ServerProcess } from '../support/process.ts'
import { beginRequest } from '../support/request-under-way.ts'
import { storedRecords } from '../support/records.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** `tailrace serve` as one meets it first: an empty folder, no configuration, the embedded database. */
const HAS_CURL = spawnSync('curl', ['--version']).status === 0

let folder: string
let server: ServerProcess
beforeAll(async () => {
  folder = await temporaryFolder('serve')
  server = await startServerProcess({}, folder)
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Types a line of the banner into a shell, as far as there is a curl. */
async function type(line: string): Promise<string> {
  if (!HAS_CURL) return (await curl(line, server.url)).text()
  const { stdout } = await promisify(execFile)('sh', ['-c', `${line} --silent --show-error --fail`])
  return stdout
}

describe('the first run', () => {
  it('begins with two curl lines that work', async () => {
    const [produce = '', read = '', blank] = server.stdout().split('\n')
    expect(produce).toBe(`curl -d hello ${server.url}/t/demo`)
    expect(read).toBe(`curl -N ${server.url}/t/demo`)
    expect(blank).toBe('')
    expect(JSON.parse(await type(produce))).toEqual({
      topic: 'demo',
      offsets: [{ partition: 0, base_offset: 0, record_count: 1 }],
    })
    const [line = ''] = await firstLines(await curl(read, server.url), 1)
    expect(JSON.parse(line)).toMatchObject({ partition: 0, offset: 0, value: 'hello' })
  })

  it('says where it listens and where the records are', async () => {
    expect(server.stdout()).toContain(`Tailrace is listening on ${server.url}`)
    expect(server.stdout()).toMatch(/Records are stored in Postgres [\d.]+ from \S+, data in \//)
    expect(await readdir(folder)).toEqual(['.tailrace'])
  })

  it('listens to this machine only', () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1')
  })
})

describe('a second server on the same data directory', () => {
  it('says so and exits with 1, and the first goes on', async () => {
    const second = await runCommand(['serve'], { TAILRACE_PORT: '0' }, folder).ended
    expect(second).toMatchObject({ code: 1, stdout: '' })
    const lines = second.stderr.split('\n').filter((line) => line.startsWith('tailrace: '))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /already uses the data in .*\.tailrace.*give this server a data directory of its own/,
    )
    expect(lines[0]).toContain(String(server.child.pid))
    await call(server.url, produceBody, { params: { topic: 'demo' }, body: 'again' })
  })
})

describe('SIGTERM', () => {
  it('finishes a long poll and every produce that is under way, and exits with 0', async () => {
    await call(server.url, produceBody, { params: { topic: 'stopped' }, body: 'first' })
    const { url } = server
    const records = '/v1/topics/demo/partitions/0/records?from=latest&max_wait_ms=60000'
    const poll = await beginRequest(url + records)
    const polled = poll.finish()
    const begun = await Promise.all(
      Array.from({ length: 20 }, () => beginRequest(`${url}/t/stopped`, 'POST')),
    )
    const ended = server.stop('SIGTERM')
    const produced = begun.map((request, index) => request.finish(String(index)))
    const { status, text } = await polled
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ records: [], next_offset: 2, high_watermark: 2 })
    expect((await Promise.all(produced)).map((answer) => answer.status)).toEqual(
      Array(20).fill(200),
    )
    expect(await ended).toMatchObject({ code: 0, signal: null })
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow()
  })

  it('loses nothing: the records are there after the next start', async () => {
    server = await startServerProcess({}, folder)
    expect(await storedRecords(server.url, 'demo')).toEqual([
      '{"value":"hello"}',
      '{"value":"again"}',
    ])
    const stopped = await storedRecords(server.url, 'stopped')
    expect(stopped[0]).toBe('{"value":"first"}')
    expect(stopped.slice(1).sort()).toEqual(
      Array.from({ length: 20 }, (_, index) => `{"value":"${String(index)}"}`).sort(),
    )
  })
})

describe('Ctrl-C', () => {
  it('stops the server in order too', async () => {
    const { code, signal } = await server.stop('SIGINT')
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    server = await startServerProcess({}, folder)
    expect(await storedRecords(server.url, 'demo')).toHaveLength(2)
  })
})

describe('kill -9', () => {
  it('leaves nothing that keeps the next server from starting', async () => {
    await server.stop('SIGKILL')
    server = await startServerProcess({}, folder)
    expect(await storedRecords(server.url, 'demo')).toHaveLength(2)
  })
})
