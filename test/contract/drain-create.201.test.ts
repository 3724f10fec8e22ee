import { describe, expect, it } from 'vitest'
import { createTopic, getTopic } from '../../src/client/index.ts'
import { DrainWithCredential } from '../../src/contract/drains.ts'
import { ask } from '../support/answers.ts'
import { curl } from '../support/curl.ts'
import { basic } from '../support/drain-calls.ts'
import { produce } from '../support/records.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
const topicOf = (topic: string) => ask(drains.url, getTopic, { params: { topic } })

describe('a drain that is created', () => {
  it('has a topic of its own name and one partition, where nothing else is said', async () => {
    const drain = await drains.create('shop')
    expect(drain).toMatchObject({ name: 'shop', topic: 'shop' })
    expect(new Date(drain.created_at).toISOString()).toBe(drain.created_at)
    expect(await topicOf('shop')).toMatchObject({ partitions: 1 })
  })

  it('is named in Location', async () => {
    const response = await drains.tryCreate({ name: 'located' })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe('/v1/drains/located')
  })

  it('may have another topic, of several partitions', async () => {
    const drain = await drains.create('web', { topic: 'web-logs', partitions: 4 })
    expect(drain.topic).toBe('web-logs')
    expect(await topicOf('web-logs')).toMatchObject({ partitions: 4 })
  })

  it('uses the topic that there is, as it is', async () => {
    await ask(drains.url, createTopic, { body: { name: 'there', partitions: 3 } })
    await produce(drains.url, 'there', [{ value: 'before', partition: 0 }])
    const before = await topicOf('there')
    await drains.create('there', { partitions: 7 })
    await drains.create('too', { topic: 'there' })
    expect(await topicOf('there')).toEqual(before)
  })

  it('may be named as topics may', async () => {
    for (const name of ['A', '0', 'a.b_c-D', 'x'.repeat(249)]) {
      const drain = await drains.create(name)
      expect(drain.url).toBe(`${drains.url}/drains/${name}`)
      expect((await drains.postFrame(name, '')).status).toBe(204)
    }
  })
})

describe('its credential', () => {
  it('is one that no URL, shell or sender trips over, and another each time', async () => {
    const credentials = new Set<string>()
    for (let n = 0; n < 50; n++) {
      const { credential } = await drains.create(`credential-${String(n)}`)
      expect(credential).toMatch(/^trd_[A-Za-z0-9_-]{24,}$/)
      credentials.add(credential)
    }
    expect(credentials.size).toBe(50)
  })

  it('is not in the database, nor in what is shown later', async () => {
    const { credential } = await drains.create('hashed')
    const rows = await drains.server.database.query('select * from tailrace.drains')
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(credential)
    expect(JSON.stringify(await drains.describe('hashed'))).not.toContain(credential)
    expect(JSON.stringify(await drains.list({ limit: 1000 }))).not.toContain(credential)
  })
})

describe('its commands', () => {
  it('are whole lines to paste', async () => {
    const { commands, credential, url } = await drains.create('pasted')
    const { host } = new URL(url)
    expect(commands).toEqual({
      heroku: `heroku drains:add http://logs:${credential}@${host}/drains/pasted -a APP`,
      heroku_fir: `heroku telemetry:add ${url} --signals logs --transport http --headers '{"Authorization":"Bearer ${credential}"}' -a APP`,
      curl: `curl -d 'hello' http://logs:${credential}@${host}/drains/pasted`,
    })
  })

  it('have a URL with which Logplex is let in', async () => {
    const { commands } = await drains.create('added')
    const url = new URL(/ (http\S+) /.exec(commands.heroku)?.[1] ?? '')
    const authorization = basic(url.username, url.password)
    const path = url.pathname.replace('/drains/', '')
    const answer = await drains.call('POST', path, { headers: { authorization } }, 'hello')
    expect(answer.status).toBe(204)
  })

  it('have a header with which a Fir app is let in, below the URL it is given', async () => {
    const { commands } = await drains.create('fir')
    const [, url = '', json = ''] =
      /add (\S+) .*--headers '(.*)' -a/.exec(commands.heroku_fir) ?? []
    const response = await fetch(`${url}/v1/logs`, {
      method: 'POST',
      headers: { ...(JSON.parse(json) as object), 'content-type': 'application/json' },
      body: '{"resourceLogs":[]}',
    })
    expect(response.status).toBe(200)
  })

  it('have a curl that stores its line', async () => {
    const { commands, credential } = await drains.create('curled')
    // The reader takes no credentials in a URL, as fetch takes none; curl makes this header of them.
    const plain = commands.curl.replace(`logs:${credential}@`, '')
    const response = await curl(
      `${plain} -H 'authorization: ${basic('logs', credential)}'`,
      drains.url,
    )
    expect(response.status).toBe(204)
    expect(await drains.messages('curled')).toEqual(['hello'])
  })
})

describe('its URL', () => {
  it('is the one under which the server was called', async () => {
    const headers = { 'x-forwarded-proto': 'https' }
    const response = await drains.tryCreate({ name: 'forwarded' }, headers)
    const { url, commands } = DrainWithCredential.parse(await response.json())
    expect(url).toBe(`${drains.url.replace('http', 'https')}/drains/forwarded`)
    expect(commands.heroku).toContain('add https://logs:')
  })

  it.each([
    ['https, http', 'https'],
    ['http, https', 'http'],
    ['http', 'http'],
    ['javascript', 'http'],
    ['', 'http'],
  ])('says what the first proxy heard: X-Forwarded-Proto: %s', async (proto, scheme) => {
    const name = `proto-${String(proto.length)}-${scheme}`
    const response = await drains.tryCreate({ name }, { 'x-forwarded-proto': proto })
    const { url } = DrainWithCredential.parse(await response.json())
    expect(url).toBe(`${scheme}://${new URL(drains.url).host}/drains/${name}`)
  })
})

describe('with TAILRACE_PUBLIC_URL', () => {
  const named = useDrains({ TAILRACE_PUBLIC_URL: 'https://logs.example.com' })

  it('is below that, in all that is shown', async () => {
    const { url, commands, credential } = await named.create('public')
    const shown = 'https://logs.example.com/drains/public'
    expect(url).toBe(shown)
    expect(commands.heroku).toContain(
      ` https://logs:${credential}@logs.example.com/drains/public -a`,
    )
    expect(commands.heroku_fir).toContain(` ${shown} `)
    expect((await named.describe('public')).url).toBe(shown)
    expect((await named.list()).drains).toMatchObject([{ url: shown }])
    expect((await named.rotate('public')).url).toBe(shown)
  })
})
