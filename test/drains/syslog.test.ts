import { describe, expect, it } from 'vitest'
import { FACILITIES, SEVERITIES } from '../../src/contract/drain-lines.ts'
import { line, TIME, valueOf } from './bodies.ts'

const by = (text: string, is_logplex = false) => valueOf(text, { is_logplex })
const TOKEN = 'd.01234567-89ab-cdef-0123-456789abcdef'

describe('a line of Logplex', () => {
  it('is its members, and nothing else where it is as usual', () => {
    expect(valueOf(line('Listening on 5000'))).toEqual({
      timestamp: TIME,
      facility: 'local7',
      severity: 'info',
      app: 'app',
      process: 'web.1',
      message: 'Listening on 5000',
    })
  })

  it.each([
    '[GIN] 2026/11/21 - 18:22:01 | 200',
    '[12-1] SELECT 1',
    '[6ad5e8b6-1f6c-4a2f-9d62-0d8d2b6b7a10] started',
    '[x y="z"] text',
    '- item',
    '-',
    'a - - [b="c"] d',
    ' leading space',
    '',
    '\u001b[31mred\u001b[0m',
    '\b'.repeat(3_000),
    'two\nlines',
    'ends in a newline\n',
    '<190>1 nested',
    'µ € 😀 \ufeff',
  ])('keeps the text %j as it is', (text) => {
    expect(valueOf(line(text))).toEqual({ ...valueOf(line('x')), message: text })
  })

  it.each([...FACILITIES.entries()])('%i is facility %s', (index, facility) => {
    const severity = SEVERITIES[index % 8]!
    expect(valueOf(line('x', 'app web.1', index * 8 + (index % 8)))).toMatchObject({
      facility,
      severity,
    })
  })

  it.each([
    ['\r\n', undefined],
    ['', ['no_newline']],
    ['\r', ['no_newline']],
  ])('that ends in %j has raw', (end, flags) => {
    const raw = line('text').slice(0, -1) + end
    const message = end === '\r' ? 'text\r' : 'text'
    const value = valueOf(raw)
    expect([value.message, value.raw, value.flags]).toEqual([message, raw, flags])
  })

  it('without a process has none in its key', () => {
    const raw = `<45>1 ${TIME} host app - sample text\n`
    expect(valueOf(raw)).toMatchObject({ app: 'app', process: '', message: 'sample text', raw })
    expect(valueOf(`<45>1 ${TIME} host app - - text\n`)).toMatchObject({
      process: '',
      message: 'text',
    })
    expect(valueOf(`<45>1 ${TIME} host app -\n`)).toMatchObject({ process: '', message: '' })
  })

  it('may have no text at all', () => {
    const canonical = line('')
    expect(valueOf(canonical).message).toBe('')
    expect(valueOf(canonical).raw).toBeUndefined()
    const raw = `<190>1 ${TIME} host app web.1 -\n`
    expect(valueOf(raw)).toMatchObject({ message: '', raw, process: 'web.1' })
  })

  it.each([
    ['2026-11-21T18:22:01Z', true],
    ['2022-01-26T20:25:08.61556+00:00', true],
    ['2026-11-21T18:22:01Z+00:00', false],
    ['2026-02-31T18:22:01Z', false],
    ['now', false],
  ])('has the time %s: %s', (time, isTime) => {
    const raw = `<190>1 ${time} host app web.1 - x\n`
    const { timestamp, flags, raw: kept } = valueOf(raw)
    expect(timestamp).toBe(isTime ? time : null)
    expect(flags).toEqual(isTime ? undefined : ['bad_time'])
    expect(kept).toBe(isTime ? undefined : raw)
  })

  it('may say that it has no time', () => {
    const value = valueOf('<190>1 - host app web.1 - x\n')
    expect([value.timestamp, value.flags, value.raw]).toEqual([null, undefined, undefined])
  })

  it.each([
    'plain text\n',
    '<190>1\n',
    '<190>1 \n',
    `<190>1 ${TIME}\n`,
    `<190>1 ${TIME} host\n`,
    `<190>1 ${TIME} host app\n`,
    `<190>1 ${TIME} host app web.1\n`,
    `<190>1 ${TIME} host  app web.1 - x\n`,
    `<190>1 ${TIME} host app web.1 msgid x\n`,
    `<190>1 ${TIME} host ${'a'.repeat(500)} web.1 - x\n`,
    `<192>1 ${TIME} host app web.1 - x\n`,
    `<1900>1 ${TIME} host app web.1 - x\n`,
    `<>1 ${TIME} host app web.1 - x\n`,
    `<190>2 ${TIME} host app web.1 - x\n`,
    `<190>1${TIME} host app web.1 - x\n`,
    '<13>Oct 11 22:14:15 mymachine su: failed\n',
    `<134>1 ${TIME} app[heroku-redis]: source=REDIS addon=redis-1 sample#hit-rate=0.7\n`,
  ])('is kept where it is not syslog: %s', (raw) => {
    expect(valueOf(raw)).toEqual({
      ...{ timestamp: null, app: '', process: '', message: raw.slice(0, -1), raw },
      flags: ['not_syslog'],
    })
  })

  it('keeps how its priority was written', () => {
    const raw = `<014>1 ${TIME} host app web.1 - x\n`
    expect(valueOf(raw)).toMatchObject({ facility: 'user', severity: 'info', raw })
    expect(valueOf(`<0>1 ${TIME} host app web.1 - x\n`).raw).toBeUndefined()
  })
})

describe('a line of another sender', () => {
  it('of log-shuttle has nil structured data', () => {
    const raw = `<190>1 ${TIME} shuttle token shuttle - - text\n`
    expect(by(raw)).toEqual({
      ...{
        timestamp: TIME,
        facility: 'local7',
        severity: 'info',
        app: 'token',
        process: 'shuttle',
      },
      ...{ message: 'text', host: 'shuttle', raw },
    })
    expect(by(raw, true).message).toBe('- text')
  })

  it('of a syslog drain has the token as host', () => {
    const value = by(`<190>1 ${TIME} ${TOKEN} app web.2 - - Started GET "/"\n`)
    expect(value).toMatchObject({ host: TOKEN, app: 'app', process: 'web.2' })
    expect(value.message).toBe('Started GET "/"')
  })

  it('of 2012 has the token as process', () => {
    const raw = `<40>1 ${TIME} heroku web.3 ${TOKEN} - State changed from starting to up\n`
    expect(by(raw, true)).toMatchObject({
      ...{ host: TOKEN, app: 'heroku', process: 'web.3', kind: 'state', raw },
    })
  })

  it.each([
    ['[meta id="1"][more x="a b" y="\\"\\]\\\\"]', 'text'],
    ['[meta id="1"]', ''],
    ['[tags@47450 app_id="7" origin="rep"]', '[x] text'],
  ])('has structured data %s', (data, message) => {
    const raw = `<14>1 ${TIME} org.space.app 5f8a [APP/PROC/WEB/0] - ${data}${message && ' '}${message}\n`
    expect(by(raw)).toMatchObject({
      ...{ app: '5f8a', process: '[APP/PROC/WEB/0]', host: 'org.space.app' },
      ...{ structured_data: data, message, raw },
    })
  })

  it.each([
    '[GIN] x',
    '[12-1] x',
    '[a b=c] x',
    '[a b="c"',
    '[a b="c"]x',
    '[a b="c\\"] x',
    '-x',
    '[] x',
  ])('has %j as its text', (text) => {
    const value = by(line(text))
    expect([value.message, value.structured_data]).toEqual([text, undefined])
  })

  it('may have a message id if it has structured data', () => {
    const raw = `<165>1 ${TIME} mymachine.example.com evntslog - ID47 [examplePriority@32473] text\n`
    expect(by(raw)).toMatchObject({
      ...{ host: 'mymachine.example.com', app: 'evntslog', process: '', msgid: 'ID47' },
      ...{ structured_data: '[examplePriority@32473]', message: 'text', raw },
    })
    expect(by(`<34>1 ${TIME} mymachine su 12 ID47 - failed\n`)).toMatchObject({
      msgid: 'ID47',
      message: 'failed',
    })
    expect(by(`<34>1 ${TIME} mymachine su 12 ID47 failed\n`).flags).toEqual(['not_syslog'])
  })
})
