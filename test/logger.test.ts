import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { withoutCredentials } from '../src/logger.ts'

const SECRET = 'hunter2'
const URL_WITH_SECRET = `postgres://user:${SECRET}@host:5432/db`
const LOGGER = new URL('../src/logger.ts', import.meta.url).href
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** What each of these statements logs, in a process of its own, as that line. */
function logged(...statements: string[]): string[] {
  const script = [
    `import { createLogger } from '${LOGGER}'`,
    `const log = createLogger('trace'), secret = '${SECRET}', url = '${URL_WITH_SECRET}'`,
    ...statements,
  ].join('\n')
  const options = ['--import', TSX, '--input-type=module', '--eval', script]
  const { stderr, stdout, status } = spawnSync(process.execPath, options, {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: '' })
  const lines = stderr.split('\n').slice(0, -1)
  expect(lines).toHaveLength(statements.length)
  return lines
}

const FIELDS: [string, string][] = [
  ['headers', '{ headers: { authorization: secret, cookie: secret, host: "h" } }'],
  ['headers of a request', '{ req: { headers: { authorization: secret, cookie: secret } } }'],
  ['fields', '{ authorization: secret, cookie: secret, password: secret, database_url: url }'],
  ['a configuration', '{ config: { database_url: url, password: secret, connectionString: url } }'],
]
const ERRORS: [string, string][] = [
  ['its message', 'new Error("no way to " + url)'],
  ['the message of its cause', 'new Error("outer", { cause: new Error("no way to " + url) })'],
  ['its own fields', 'Object.assign(new Error("x"), { connectionString: url, password: secret })'],
  ['the errors it gathers', 'new AggregateError([new Error(url), new Error(url)], "both")'],
]

describe('the log', () => {
  const fields = logged(...FIELDS.map(([, object]) => `log.info(${object}, 'field')`))
  const errors = logged(...ERRORS.map(([, error]) => `log.error({ err: ${error} }, 'error')`))
  const bare = logged(...ERRORS.map(([, error]) => `log.error(${error})`))

  it('is JSON lines on stderr', () => {
    const lines = logged(`log.info({ topic: 'orders' }, 'hello')`, `log.error('world')`)
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { msg: 'hello', topic: 'orders', level: 30 },
      { msg: 'world', level: 50 },
    ])
  })

  it.each(FIELDS.map(([name], index) => [name, fields[index]!]))(
    'never holds a secret in %s',
    (_, line) => {
      expect(line).toContain('***')
      expect(line).not.toContain(SECRET)
    },
  )

  it.each(ERRORS.map(([name], index) => [name, errors[index]!]))(
    'never shows an error with a secret in %s',
    (_, line) => {
      expect(line).toContain('***')
      expect(line).not.toContain(SECRET)
      expect(JSON.parse(line)).toMatchObject({ err: { stack: expect.stringContaining(' at ') } })
    },
  )

  it.each(ERRORS.map(([name], index) => [name, bare[index]!]))(
    'nor one that is logged bare, with a secret in %s',
    (_, line) => {
      expect(line).toContain('***')
      expect(line).not.toContain(SECRET)
    },
  )
})

describe('withoutCredentials', () => {
  it.each([
    ['postgres://user:hunter2@host/db', 'postgres://***@host/db'],
    ['postgres://user@host/db', 'postgres://***@host/db'],
    ['postgres://:hunter2@/db?host=/tmp', 'postgres://***@/db?host=/tmp'],
    [
      'postgresql://u:p%40ss%2Fhunter2@h:5432/d and https://x:y@z',
      'postgresql://***@h:5432/d and https://***@z',
    ],
    ['postgres://host:5432/db', 'postgres://host:5432/db'],
    ['postgres:///db?host=/var/run', 'postgres:///db?host=/var/run'],
    ['nothing to hide: a@b', 'nothing to hide: a@b'],
    ['', ''],
  ])('%s', (text, expected) => {
    expect(withoutCredentials(text)).toBe(expected)
  })

  it.each([
    'postgres://user:hunter2@ss@host/db',
    'postgres://user:hunter2/x@host/db',
    'postgres://user:x hunter2@host/db',
    'postgres://host/db?user=u&password=hunter2',
    'postgres://host/db?password=hunter2&sslmode=require',
    'postgres://host/db?sslpassword=hunter2',
  ])('leaves no part of the password of %s', (text) => {
    expect(withoutCredentials(text)).not.toContain('hunter2')
  })
})
