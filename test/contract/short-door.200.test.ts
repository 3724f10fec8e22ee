import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceBody, send } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { highWatermarks, recordLines, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const FORM = 'application/x-www-form-urlencoded'

describe('POST /t/{topic}, then GET /t/{topic}', () => {
  it('stores what curl -d sends, and gives it back', async () => {
    const produced = await supertest(server.url).post('/t/demo').type(FORM).send('hello')
    expect(await expectAnswer(produceBody, produced)).toEqual({
      topic: 'demo',
      offsets: [{ partition: 0, base_offset: 0, record_count: 1 }],
    })
    const read = await supertest(server.url).get('/t/demo?until=latest').expect(200)
    expect(read.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    expect(read.text).toMatch(/^\{"partition":0,"offset":0,"timestamp":\d+,"value":"hello"\}\n$/)
  })

  it('says when it made the topic, and where the topic is', async () => {
    const first = await supertest(server.url).post('/t/made').type('text/plain').send('one')
    const second = await supertest(server.url).post('/t/made').type('text/plain').send('two')
    expect(first.headers['tailrace-topic-created']).toBe('true')
    expect(second.headers).not.toHaveProperty('tailrace-topic-created')
    for (const { headers } of [first, second]) {
      expect(headers['link']).toBe('</v1/topics/made>; rel="describedby"')
    }
    await supertest(server.url).get('/v1/topics/made').expect(200)
  })
})

describe('the body is the record', () => {
  it.each([
    ['a form, as curl -d calls it: text', FORM, 'a=1&b=%20+c', '"value":"a=1&b=%20+c"'],
    ['an object by curl -d: JSON', FORM, '{"b":1.0,"a":[2]}', '"value":{"b":1.0,"a":[2]}'],
    ['an array by curl -d: JSON', FORM, ' [1, 2]\n', '"value":[1, 2]'],
    ['a number by curl -d: text', FORM, '42', '"value":"42"'],
    ['half an object by curl -d: text', FORM, '{"a":', '"value":"{\\"a\\":"'],
    ['two objects by curl -d: text', FORM, '{} {}', '"value":"{} {}"'],
    ['text', 'text/plain', '{"a":1}', '"value":"{\\"a\\":1}"'],
    ['text with a charset', 'text/plain; charset=utf-8', 'é 😀', '"value":"é 😀"'],
    ['text with lines', 'text/plain', 'a\r\nb\n', '"value":"a\\r\\nb\\n"'],
    ['CSV is text', 'text/csv', 'a,b', '"value":"a,b"'],
    ['XML is text', 'application/xml', '<a/>', '"value":"<a/>"'],
    ['JSON', 'application/json', ' {"b":1,"a":2} ', '"value":{"b":1,"a":2}'],
    ['a JSON string', 'application/json', '"hi"', '"value":"hi"'],
    ['JSON null', 'application/json; charset=utf-8', 'null', '"value":null'],
    ['a +json type', 'application/cloudevents+json', '{"id":1}', '"value":{"id":1}'],
    ['any other type: bytes', 'application/octet-stream', 'hi', '"value_base64":"aGk="'],
    ['a type nobody knows: bytes', 'x-unheard/of', 'hi', '"value_base64":"aGk="'],
    ['empty text', 'text/plain', '', '"value":""'],
    ['an empty form', FORM, '', '"value":""'],
    ['no bytes', 'application/octet-stream', '', '"value_base64":""'],
  ])('%s', async (_, type, body, member) => {
    const response = await supertest(server.url).post('/t/forms').type(type).send(body)
    await expectAnswer(produceBody, response)
    expect((await storedRecords(server.url, 'forms')).at(-1)).toBe(`{${member}}`)
  })

  it('without a content type is text where it is UTF-8, else bytes', async () => {
    for (const body of [Buffer.from('é'), Buffer.from([0xc3, 0x28]), Buffer.alloc(0)]) {
      await expectAnswer(
        produceBody,
        await send(server.url, produceBody, { params: { topic: 'untyped' }, body }),
      )
    }
    expect(await storedRecords(server.url, 'untyped')).toEqual([
      '{"value":"é"}',
      '{"value_base64":"wyg="}',
      '{"value":""}',
    ])
  })
})

describe('?key= and ?partition=', () => {
  it('give the record a key and a place', async () => {
    await supertest(server.url).post('/v1/topics').send({ name: 'placed', partitions: 3 })
    const post = (query: Record<string, string>) =>
      supertest(server.url).post('/t/placed').query(query).type('text/plain').send('v').expect(200)
    await post({ key: 'é "1"\n😀', partition: '2' })
    await post({ key: '', partition: '2' })
    await post({ partition: '1' })
    expect(await highWatermarks(server.url, 'placed')).toEqual([0, 1, 2])
    const [named, empty] = (await recordLines(server.url, 'placed', 2)).map(
      (line) => (JSON.parse(line) as { key: string }).key,
    )
    expect([named, empty]).toEqual(['é "1"\n😀', ''])
    expect(await storedRecords(server.url, 'placed', 1)).toEqual(['{"value":"v"}'])
  })
})
