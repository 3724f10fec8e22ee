import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatOf } from '../../src/drains/format.ts'

const format = (type: string | undefined, body: string | Buffer, more = {}) =>
  formatOf({ ...(type === undefined ? {} : { 'content-type': type }), ...more }, Buffer.from(body))

describe('formatOf', () => {
  it.each([
    ['application/logplex-1', 'anything', 'logplex'],
    ['application/json', '{"a":1}', 'json'],
    ['application/json; charset=utf-8', ' [ {"a":1} ]', 'json'],
    ['Application/JSON', '"text"', 'json'],
    ['application/vnd.api+json', '{"a":1}', 'json'],
    ['application/x-ndjson', 'whatever', 'ndjson'],
    ['application/jsonl', '', 'ndjson'],
    ['application/json-seq', '', 'ndjson'],
    ['text/plain', 'hello', 'text'],
    ['text/plain', '<13>1 2026-11-21T18:30:00Z h app 1 - - hello', 'text'],
    ['application/cloudevents+json; charset=utf-8', '{}', 'cloudevents_structured'],
    ['application/cloudevents-batch+json', '[]', 'cloudevents_batch'],
    ['application/msgpack', '{"a":1}', 'unsupported'],
    ['application/x-msgpack', '', 'unsupported'],
    ['application/vnd.msgpack', '', 'unsupported'],
    ['application/x-protobuf', '', 'unsupported'],
    ['application/x-snappy-framed', '', 'unsupported'],
  ])('of %s %j is %s', (type, body, expected) => {
    expect(format(type, body)).toBe(expected)
  })

  it.each([
    ['{"a":1}', 'ndjson'],
    ['\n\t{ "a":1}', 'ndjson'],
    ['\ufeff{"a":1}', 'ndjson'],
    ['{}', 'ndjson'],
    ['[{"a":1}]', 'ndjson'],
    ['[[1,{"a":1}]]', 'ndjson'],
    ['[GIN] 2026/11/21 GET /', 'text'],
    ['[12-1] sql = SELECT', 'text'],
    ['{not json}', 'text'],
    ['true story', 'text'],
    ['', 'text'],
    ['83 <40>1 2026-11-21T18:30:00Z host app web.1 - x\n', 'logplex'],
    ['83 bottles <40>', 'text'],
  ])('looks at the body where the type says nothing: %j is %s', (body, expected) => {
    for (const type of [
      undefined,
      'application/octet-stream',
      'text/plain; charset=utf-8',
      'application/x-www-form-urlencoded',
    ]) {
      expect(format(type, body)).toBe(expected)
    }
  })

  it.each(['hello', '<13>1 - - - - - - x'])('does not believe that %j is JSON', (body) => {
    expect(format('application/json', body)).toBe('text')
  })

  it.each([
    [{ 'x-vercel-signature': 'ab' }, 'vercel'],
    [{ 'x-zeit-signature': 'ab' }, 'vercel'],
    [{ 'x-amz-firehose-request-id': 'ed' }, 'firehose'],
    [{ 'ce-id': '1', 'ce-specversion': '1.0' }, 'cloudevents_binary'],
    [{ 'ce-id': '1' }, 'json'],
    [{ 'logplex-msg-count': '1' }, 'logplex'],
    [{ 'logplex-drain-token': 'd.1', 'logplex-frame-id': 'x' }, 'logplex'],
  ])('knows senders by their headers: %j is %s', (headers, expected) => {
    expect(format('application/json', '{"records":[]}', headers)).toBe(expected)
  })

  it('takes the first of several content types', () => {
    expect(formatOf({ 'content-type': ['application/x-ndjson', 'text/plain'] }, Buffer.of())).toBe(
      'ndjson',
    )
  })

  const push = '{"message":{"data":"aGk=","messageId":"7"},"subscription":"projects/p/s"}'
  it.each([
    ['application/json', push, 'pubsub'],
    [undefined, ` ${push}\n`, 'pubsub'],
    ['application/json', push + push, 'json'],
    ['application/json', push.replace('messageId', 'message'), 'json'],
    ['application/json', '{"subscription":"gold","message":"renewed"}', 'json'],
    ['application/json', push.slice(0, -1), 'json'],
  ])('knows Pub/Sub by the shape of its body: %s %s is %s', (type, body, expected) => {
    expect(format(type, body)).toBe(expected)
  })

  it('takes any headers and bytes', () => {
    const headers = fc.dictionary(
      fc.constantFrom('content-type', 'ce-id', 'x', 'x-vercel-signature'),
      fc.oneof(fc.string(), fc.array(fc.string())),
    )
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 30 }), (some, bytes) => {
        expect(formatOf(some, Buffer.from(bytes))).toBeTypeOf('string')
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })
})
