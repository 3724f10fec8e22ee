import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createContext, runInContext } from 'node:vm'
import { EventSource } from 'eventsource'
import { WebSocket } from 'ws'
import { consume, tail } from '../../src/client/index.ts'
import { curl } from '../support/curl.ts'
import { firstLines } from '../support/first-lines.ts'
import { produce } from '../support/records.ts'
import { startShellLoop, type ShellLoop } from '../support/shell-loop.ts'
import { until } from '../support/within.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Every command and statement in the README works when pasted, in the order in which they stand. */

const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block ?? '',
  )
}

/** The commands of a block; a line that ends in a backslash goes on. A loop is one command. */
function commands(block: string): string[] {
  if (block.startsWith('while ')) return [block]
  return block.split(/(?<!\\)\n/).filter((line) => line.startsWith('curl '))
}

/** What a script of the README finds in a browser, or gets of its import. */
interface Surroundings {
  EventSource: unknown
  WebSocket: unknown
  tail: typeof tail
  consume: typeof consume
  console: { log: (...words: unknown[]) => void }
}

/** Runs a script of the README until it has logged something with an amount in it. */
async function firstLogged(script: string, url: string): Promise<unknown[]> {
  const { host } = new URL(url)
  const body = script
    .replace(/^import .*$/m, '')
    .replaceAll('localhost:7070', host)
    .replace('record.value', 'record.value, record')
  const opened: { close: () => void }[] = []
  const remembered = <T extends { close: () => void }>(one: T): T => {
    opened.push(one)
    return one
  }
  return new Promise((resolve, reject) => {
    const log = (...words: unknown[]) => {
      if (!JSON.stringify(words).includes('amount')) return
      for (const one of opened) one.close()
      resolve(words)
      // Out of the loop of an iterator, which has no close.
      if (opened.length === 0) throw SEEN
    }
    const surroundings: Surroundings = {
      EventSource: function (address: string) {
        return remembered(new EventSource(address))
      },
      WebSocket: function (address: string) {
        return remembered(new WebSocket(address))
      },
      tail,
      consume,
      console: { log },
    }
    runScript(body, surroundings).catch((error: unknown) => {
      if (error !== SEEN) reject(new Error('the script failed', { cause: error }))
    })
  })
}
const SEEN = new Error('seen')

/** As a function of its surroundings; the script is our own README. */
async function runScript(body: string, surroundings: Surroundings): Promise<void> {
  const names = Object.keys(surroundings).join(', ')
  const context = createContext({ surroundings })
  const source = `(async ({ ${names} }) => {${body}})(surroundings)`
  await (runInContext(source, context) as Promise<void>)
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

interface Answer {
  records: { partition: number }[]
}

/** The partitions of which a loop has printed records. */
function partitionsOf({ lines }: ShellLoop): number[] {
  const answers = lines.map((line) => JSON.parse(line) as Answer)
  return [...new Set(answers.flatMap(({ records }) => records.map((one) => one.partition)))].sort()
}

/** In two terminals: each has some of the three partitions, and after one is closed the other has all. */
async function shareWork(script: string): Promise<void> {
  const loops = [await startShellLoop(script), await startShellLoop(script)] as const
  await until(() => loops.every(({ lines }) => lines.length > 0))
  const each = [0, 1, 2].map((partition) => ({ partition, value: { amount: 1 } }))
  await until(async () => {
    await produce(server.url, 'payments', each)
    return loops.every((loop) => partitionsOf(loop).length > 0)
  })
  await loops[0].kill()
  const { lines } = loops[1]
  lines.length = 0
  await until(async () => {
    await produce(server.url, 'payments', each)
    return partitionsOf(loops[1]).length === 3
  })
  await loops[1].kill()
}

interface Created {
  credential: string
}
/** Of the drain that the README creates, for the commands behind. */
let credential = ''

function expectedStatus(line: string): number {
  if (line.includes('/drains/shop -H')) return 204
  return /\/v1\/(topics|drains) -H/.test(line) ? 201 : 200
}

describe('the README', () => {
  const lines = blocks('sh').flatMap(commands)

  it('has commands to run', () => {
    expect(lines.length).toBeGreaterThan(8)
  })

  it.each(lines)('%s', { timeout: 60_000 }, async (line) => {
    if (line.startsWith('while ')) {
      await shareWork(line.replace('http://localhost:7070', server.url))
      return
    }
    const response = await curl(line.replace('$CREDENTIAL', credential), server.url)
    if (line.includes(' -N ')) {
      expect(response.status).toBe(200)
      expect(await firstLines(response, 1)).toHaveLength(1)
      return
    }
    const text = await response.text()
    expect({ status: response.status, text }).toMatchObject({ status: expectedStatus(line) })
    if (line.includes('/v1/drains -H')) credential = (JSON.parse(text) as Created).credential
  })

  it.each(blocks('sql').flatMap((block) => block.trim().split('\n')))('%s', async (statement) => {
    expect(await server.database.query(statement)).toBeInstanceOf(Array)
  })

  it('shows what the first two commands answer', async () => {
    const response = await curl('curl -N http://localhost:7070/t/demo', server.url)
    const shown = blocks('text')
      .at(0)
      ?.replace(/\d{13}/, 'T')
    const [line = ''] = await firstLines(response, 1)
    expect(`${line.replace(/\d{13}/, 'T')}\n`).toBe(shown)
  })

  it.each(blocks('js'))('has a script that logs records: %s', async (script) => {
    const logged = await firstLogged(script, server.url)
    expect(JSON.stringify(logged)).toContain('amount')
  })

  it('lists every variable of the configuration', () => {
    const listed = [...text.matchAll(/^\| `(TAILRACE_\w+)`/gm)].map(([, name]) => name)
    const wrong = Object.fromEntries(listed.map((name) => [name ?? '', 'x']))
    expect(() => readConfig({ ...wrong, TAILRACE_X: 'x' })).toThrow(/TAILRACE_X: is not a variable/)
    for (const name of listed) {
      expect(() => readConfig({ [`${name ?? ''}S`]: 'x' })).toThrow(`did you mean ${name ?? ''}?`)
    }
  })
})
