import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { curl } from '../support/curl.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Every command and statement in the README works when pasted, in the order in which they stand. */

const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block ?? '',
  )
}

/** The commands of a block; a line that ends in a backslash goes on. */
function commands(block: string): string[] {
  return block.split(/(?<!\\)\n/).filter((line) => line.startsWith('curl '))
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('the README', () => {
  const lines = blocks('sh').flatMap(commands)

  it('has commands to run', () => {
    expect(lines.length).toBeGreaterThan(8)
  })

  it.each(lines)('%s', async (line) => {
    const response = await curl(line, server.url)
    expect({ status: response.status, text: await response.text() }).toMatchObject({
      status: line.includes('/v1/topics -H') ? 201 : 200,
    })
  })

  it.each(blocks('sql').flatMap((block) => block.trim().split('\n')))('%s', async (statement) => {
    expect(await server.database.query(statement)).toBeInstanceOf(Array)
  })

  it('shows what the first two commands answer', async () => {
    const response = await curl('curl http://localhost:7070/t/demo', server.url)
    const shown = blocks('text')
      .at(0)
      ?.replace(/\d{13}/, 'T')
    expect((await response.text()).replace(/\d{13}/, 'T')).toBe(shown)
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
