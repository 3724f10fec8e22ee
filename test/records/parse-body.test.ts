import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { ProblemError } from '../../src/contract/problem-error.ts'
import { parseEnvelope, parseRecordLines, type ParsedBody } from '../../src/records/parse-body.ts'

type Parse = (body: Buffer) => ParsedBody

function lines(parse: Parse, text: string): string[] {
  const { table } = parse(Buffer.from(text))
  return Array.from({ length: table.count }, (_, index) => table.line(index).toString())
}

/** The line that one record is stored as. */
function line(record: string): string | undefined {
  const [fromEnvelope] = lines(parseEnvelope, `{"records":[${record}]}`)
  if (!record.includes('\n')) expect(lines(parseRecordLines, record)).toEqual([fromEnvelope])
  return fromEnvelope
}

function problem(parse: Parse, body: string | Buffer): ProblemError {
  try {
    parse(Buffer.from(body))
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
  throw new Error(`accepted: ${body.toString()}`)
}

function pointer(parse: Parse, body: string | Buffer): string | undefined {
  const { code, details } = problem(parse, body)
  expect(code).toBe('invalid_request')
  expect(details.errors).toHaveLength(1)
  expect(details.errors?.[0]).toMatchObject({ in: 'body', detail: expect.stringMatching(/\S/) })
  return details.errors?.[0]?.pointer
}

describe('a record is stored as it was sent', () => {
  it.each([
    '{"value":1}',
    '{"value":null}',
    '{"value":12345678901234567890}',
    '{"value":1e400}',
    '{"value":{"b":1,"a":{"b":1,"b":2},"__proto__":[]}}',
    '{"value":"\\u0000\\ud800\\/é😀\u2028"}',
    '{"value":{ "a" : [ 1 , 2 ] } }',
    '{"value":1 ,"key":"k"}',
    '{"key":"k","value":"v","headers":{"a":"b","a":"c","":"\\u0000"}}',
    '{"key":null,"value":1}',
    '{"key_base64":"//8=","value_base64":""}',
    '{"value_base64":"AAEC"}',
    '{"value":1,"headers":{}}',
    '{"value":1,"headers_base64":{"a":"AAEC"},"headers":{"b":"c"}}',
    '{"timestamp":0,"value":1}',
    '{"timestamp":8640000000000000,"value":1}',
  ])('%s', (record) => {
    expect(line(record)).toBe(record)
  })
})

describe('a record is rebuilt where its line must have another form', () => {
  it.each([
    ['the partition goes', '{"partition":0,"value":1}', '{"value":1}'],
    [
      'the timestamp comes first',
      '{"value":{"b":1e400},"timestamp":5}',
      '{"timestamp":5,"value":{"b":1e400}}',
    ],
    [
      'a time becomes a number',
      '{"timestamp":"1970-01-01T00:00:01Z","value":1}',
      '{"timestamp":1000,"value":1}',
    ],
    ['space before the first name', '{ "value":1}', '{"value":1}'],
    ['newlines become spaces', '{"value":\n[1,\r\n2]\n}', '{"value":[1,\r 2]}'],
    ['an escaped slash in base64', '{"value_base64":"\\/\\/8="}', '{"value_base64":"//8="}'],
    [
      'all of it in one order',
      '{"headers":{"é":"\\n"}, "value":"é","partition":1,"key":"k","timestamp":3}',
      '',
    ],
  ])('%s', (_, record, expected) => {
    const all = '{"timestamp":3,"key":"k","value":"é","headers":{"é":"\\n"}}'
    expect(line(record)).toBe(expected || all)
  })
})

describe('keys, partitions and timestamps', () => {
  it.each([
    ['{"value":1}', undefined],
    ['{"key":null,"value":1}', undefined],
    ['{"key":"","value":1}', ''],
    ['{"key":"kéy","value":1}', 'kéy'],
    ['{"key":"a\\u00e9\\n\\ud83d\\ude00\\/","value":1}', 'aé\n😀/'],
    ['{"key_base64":"a8OpeQ==","value":1}', 'kéy'],
    ['{"key_base64":"\\/\\/8=","value":1}', Buffer.of(255, 255)],
    ['{"key_base64":"","value":1}', ''],
  ])('the key of %s', (record, expected) => {
    for (const body of [
      `{"records":[{"value":0},${record}]}`,
      ` { "records" : [ {"value":0} , ${record} ] }`,
    ]) {
      const { table } = parseEnvelope(Buffer.from(body))
      expect(table.key(1)).toEqual(expected === undefined ? undefined : Buffer.from(expected))
      expect(table.key(0)).toBeUndefined()
    }
  })

  it('stand beside each record', () => {
    const records = [
      '{"value":1}',
      '{"value":1,"partition":12}',
      '{"timestamp":5,"value":1,"partition":0}',
      '{"value":1,"timestamp":"2024-01-01T00:00:00.5+01:00"}',
    ]
    const { table } = parseEnvelope(Buffer.from(`{"records":[${records.join(',')}]}`))
    expect([...table.partition.subarray(0, 4)]).toEqual([-1, 12, 0, -1])
    expect([...table.timestamp.subarray(0, 4)]).toEqual([
      -1,
      -1,
      5,
      Date.UTC(2023, 11, 31, 23) + 500,
    ])
  })

  it('of the request before are forgotten', () => {
    parseEnvelope(Buffer.from('{"records":[{"key":"k","partition":3,"timestamp":9,"value":1}]}'))
    const { table } = parseEnvelope(Buffer.from('{"records":[{"value":2}]}'))
    expect([table.count, table.key(0), table.partition[0], table.timestamp[0]]).toEqual([
      1,
      undefined,
      -1,
      -1,
    ])
    expect(table.line(0).toString()).toBe('{"value":2}')
  })
})

describe('a record that is refused', () => {
  it.each([
    ['1', ''],
    ['[]', ''],
    ['null', ''],
    ['"x"', ''],
    ['{}', ''],
    ['{"key":"k"}', ''],
    ['{"value":1,"value_base64":""}', ''],
    ['{"key":"k","key_base64":"","value":1}', ''],
    ['{"value":1,"offset":1}', '/offset'],
    ['{"value":1,"":1}', '/'],
    ['{"value":1,"__proto__":1}', '/__proto__'],
    ['{"val\\u0075e":1}', '/value'],
    ['{"Value":1}', '/Value'],
    ['{"value":1,"a/b~c":1}', '/a~1b~0c'],
    ['{"value":1,"value":1}', '/value'],
    ['{"key":1,"value":1}', '/key'],
    ['{"key":{},"value":1}', '/key'],
    ['{"key":true,"value":1}', '/key'],
    ['{"key":"a","key":"b","value":1}', '/key'],
    ['{"key_base64":"A","value":1}', '/key_base64'],
    ['{"key_base64":null,"value":1}', '/key_base64'],
    ['{"value_base64":"-_=="}', '/value_base64'],
    ['{"value_base64":"QUJ\\u0044"}', '/value_base64'],
    ['{"value_base64":1}', '/value_base64'],
    ['{"value":1,"partition":-1}', '/partition'],
    ['{"value":1,"partition":1.0}', '/partition'],
    ['{"value":1,"partition":1e1}', '/partition'],
    ['{"value":1,"partition":"1"}', '/partition'],
    ['{"value":1,"partition":null}', '/partition'],
    ['{"value":1,"partition":1234567890}', '/partition'],
    ['{"value":1,"timestamp":-1}', '/timestamp'],
    ['{"value":1,"timestamp":1.5}', '/timestamp'],
    ['{"value":1,"timestamp":1e3}', '/timestamp'],
    ['{"value":1,"timestamp":"1000"}', '/timestamp'],
    ['{"value":1,"timestamp":"yesterday"}', '/timestamp'],
    ['{"value":1,"timestamp":null}', '/timestamp'],
    ['{"value":1,"timestamp":8640000000000001}', '/timestamp'],
    ['{"value":1,"headers":[]}', '/headers'],
    ['{"value":1,"headers":null}', '/headers'],
    ['{"value":1,"headers":{"a":1}}', '/headers'],
    ['{"value":1,"headers":{"a":null}}', '/headers'],
    ['{"value":1,"headers_base64":{"a":"-"}}', '/headers_base64'],
    ['{"value":1,"headers_base64":{"a":1}}', '/headers_base64'],
    ['{"value":01}', ''],
    ['{"value":1,}', ''],
    ['{"value":tru}', ''],
    ['{"value":"\\x"}', ''],
  ])('%s', (record, place) => {
    expect(pointer(parseEnvelope, `{"records":[{"value":0},${record}]}`)).toBe(`/records/1${place}`)
    expect(pointer(parseRecordLines, `{"value":0}\n\n${record}\n`)).toBe(`/2${place}`)
  })

  it.each(['headers', 'headers_base64'])('for more than 32 %s', (name) => {
    const headers = (count: number) =>
      Array.from({ length: count }, (_, index) => `"h${String(index)}":"AAAA"`).join(',')
    const record = (count: number) => `{"value":1,"${name}":{${headers(count)}}}`
    expect(line(record(LIMITS.headers_per_record))).toBe(record(32))
    expect(problem(parseRecordLines, record(33)).message).toMatch(/more than 32 headers/)
  })

  it('with headers of both kinds together over the bound', () => {
    const headers = (count: number) =>
      Array.from({ length: count }, (_, index) => `"h${String(index)}":"AAAA"`).join(',')
    const record = `{"value":1,"headers":{${headers(20)}},"headers_base64":{${headers(20)}}}`
    expect(problem(parseRecordLines, record).message).toMatch(/more than 32 headers/)
  })
})

describe('the envelope', () => {
  it.each([
    ['', ''],
    [' ', ''],
    ['[]', ''],
    ['1', ''],
    ['null', ''],
    ['{"value":1}', '/value'],
    ['{', ''],
    ['{}', '/records'],
    ['{"records":[]}', '/records'],
    ['{"records":{}}', '/records'],
    ['{"records":null}', '/records'],
    ['{"records":[{"value":1}],"records":[{"value":2}]}', '/records'],
    ['{"records":[{"value":1}],"extra":1}', '/extra'],
    ['{"a/b~c":1,"records":[{"value":1}]}', '/a~1b~0c'],
    ['{"records":[{"value":1}]} x', ''],
    ['{"records":[{"value":1}]}{}', ''],
    ['{"records":[{"value":1}', ''],
    ['{"records":[{"value":1}],}', ''],
    ['{"records":[{"value":1}],"expected_offsets":1}', '/expected_offsets'],
    [
      '{"records":[{"value":1}],"expected_offsets":[{"partition":0}]}',
      '/expected_offsets/0/offset',
    ],
    [
      '{"records":[{"value":1}],"expected_offsets":[{"partition":0,"offset":-1}]}',
      '/expected_offsets/0/offset',
    ],
    [
      '{"records":[{"value":1}],"expected_offsets":[{"partition":1e9,"offset":1}]}',
      '/expected_offsets/0/partition',
    ],
    [
      '{"records":[{"value":1}],"expected_offsets":[{"partition":0,"offset":1},{"partition":0,"offset":1}]}',
      '/expected_offsets',
    ],
  ])('is refused: %s', (body, place) => {
    expect(pointer(parseEnvelope, body)).toMatch(
      place === '' ? /^(\/records\/\d+)?$/ : new RegExp(`^${place}$`),
    )
  })

  it('may have its members in any order, with space around everything', () => {
    const body =
      ' {\r\n\t"expected_offsets" : [ { "offset" : 5, "partition" : 1 } ] , "records" : [ {"value":1} ,\n{"value":2} ]\n} \n'
    const { table, expected_offsets } = parseEnvelope(Buffer.from(body))
    expect(expected_offsets).toEqual([{ partition: 1, offset: 5 }])
    expect([table.line(0).toString(), table.line(1).toString()]).toEqual([
      '{"value":1}',
      '{"value":2}',
    ])
  })

  it('may have no expected_offsets, or none in them', () => {
    expect(parseEnvelope(Buffer.from('{"records":[{"value":1}]}')).expected_offsets).toEqual([])
    const body = '{"expected_offsets":[],"records":[{"value":1}]}'
    expect(parseEnvelope(Buffer.from(body)).expected_offsets).toEqual([])
  })
})

describe('NDJSON', () => {
  it.each([
    ['with a newline at the end', '{"value":1}\n{"value":2}\n'],
    ['without one', '{"value":1}\n{"value":2}'],
    ['with blank lines', '\n\r\n{"value":1}\n \t\n\n{"value":2}\n\n'],
    ['with CRLF', '{"value":1}\r\n{"value":2}\r\n'],
    ['with space around records', '  {"value":1}  \n\t{"value":2}\t'],
  ])('may come %s', (_, body) => {
    expect(lines(parseRecordLines, body)).toEqual(['{"value":1}', '{"value":2}'])
  })

  it.each([
    ['', ''],
    ['\n \n', ''],
    ['{"value":1}{"value":2}', '/0'],
    ['{"value":1},\n{"value":2}', '/0'],
    ['{"value":\n1}', '/0'],
    ['{"value":1}\n{"value":[\n]}', '/1'],
    ['{"value":1}\n[{"value":1}]', '/1'],
    ['{"value":1}\n{"value":"a\nb"}', '/1'],
    ['{"value":1}\n\u00a0\n', '/1'],
    ['\ufeff{"value":1}\n', '/0'],
  ])('is refused: %j', (body, place) => {
    expect(pointer(parseRecordLines, body)).toBe(place)
  })
})

describe('either form', () => {
  it.each([
    ['an envelope', parseEnvelope, '{"records":[', ']}', ','],
    ['NDJSON', parseRecordLines, '', '', '\n'],
  ])('%s holds at most 10,000 records', (_, parse: Parse, before, after, separator) => {
    const body = (count: number) =>
      before + Array.from({ length: count }, () => '{"value":1}').join(separator) + after
    expect(parse(Buffer.from(body(10_000))).table.count).toBe(10_000)
    const refused = problem(parse, body(10_001))
    expect(refused.code).toBe('request_too_large')
    expect(refused.message).toContain('10,000')
  })

  it.each([
    ['an envelope', parseEnvelope],
    ['NDJSON', parseRecordLines],
  ])('%s must be UTF-8, and says how bytes are sent', (_, parse: Parse) => {
    const body = Buffer.concat([
      Buffer.from('{"records":[{"value":"'),
      Buffer.of(0xff),
      Buffer.from('"}]}'),
    ])
    expect(pointer(parse, body)).toBe('')
    expect(problem(parse, body).details.hint).toContain('value_base64')
  })

  it('may hold a header of 64 KB', () => {
    const record = `{"value":1,"headers":{"h":"${'x'.repeat(64 * 1024)}"}}`
    expect(line(record)).toBe(record)
  })
})
