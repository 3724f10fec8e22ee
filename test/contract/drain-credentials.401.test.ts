import { beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { basic, type Sending } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
let mine = ''
let others = ''
beforeAll(async () => {
  mine = (await drains.create('mine')).credential
  others = (await drains.create('others')).credential
})

/** How senders show a credential. */
const WAYS: [way: string, sending: (credential: string) => Sending][] = [
  [
    'the password of Basic: https://logs:secret@host',
    (c) => ({ headers: { authorization: basic('logs', c) } }),
  ],
  [
    'the user of Basic: https://secret:x@host',
    (c) => ({ headers: { authorization: basic(c, 'x') } }),
  ],
  [
    'the user without a password, as Logplex makes it of https://:secret@host',
    (c) => ({ headers: { authorization: basic(c, '') } }),
  ],
  [
    'the password without a user, as others make it of the same',
    (c) => ({ headers: { authorization: basic('', c) } }),
  ],
  [
    'Basic without a colon',
    (c) => ({ headers: { authorization: `basic ${Buffer.from(c).toString('base64')}` } }),
  ],
  ['Bearer', (c) => ({ headers: { authorization: `Bearer ${c}` } })],
  ['bearer, as some spell it', (c) => ({ headers: { authorization: `bearer  ${c}` } })],
  ['the access key of Firehose', (c) => ({ headers: { 'x-amz-firehose-access-key': c } })],
  ['?credential=', (c) => ({ query: `credential=${c}` })],
]

describe.each(WAYS)('a credential as %s', (_way, sending) => {
  const answerTo = (drain: string, credential: string) =>
    drains.call('POST', drain, sending(credential), frameOf('x'))

  it('is taken', async () => {
    expect((await answerTo('mine', mine)).status).toBe(204)
  })

  it('is refused where it is wrong, longer, shorter, or that of another drain', async () => {
    const wrong = `${mine.slice(0, -1)}${mine.endsWith('x') ? 'y' : 'x'}`
    for (const one of [wrong, `${mine}x`, mine.slice(0, -1), mine.toUpperCase(), others, 'x']) {
      const problem = await expectProblem(await answerTo('mine', one), 'unauthorized', {
        written: 'no',
      })
      expect(JSON.stringify(problem)).not.toContain(one === 'x' ? mine : one)
    }
  })

  it('does not say whether there is such a drain by anything but 404', async () => {
    await expectProblem(await answerTo('nobody', mine), 'unknown_drain', { written: 'no' })
  })
})

describe('a request without a credential', () => {
  it.each([
    ['nothing', {}],
    ['an empty Basic', { headers: { authorization: 'Basic ' } }],
    ['an empty user and password', { headers: { authorization: basic('', '') } }],
    ['a scheme that is not known', { headers: { authorization: 'Digest x' } }],
    ['an empty parameter', { query: 'credential=' }],
    [
      'its hash',
      { headers: { authorization: 'Bearer 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU' } },
    ],
  ] as [string, Sending][])('is refused: %s', async (_what, sending) => {
    const answer = await drains.call('POST', 'mine', sending, frameOf('x'))
    await expectProblem(answer, 'unauthorized', { written: 'no' })
  })

  it('stores nothing', async () => {
    const before = await drains.messages('others')
    await drains.call('POST', 'others', {}, frameOf('x'))
    expect(await drains.messages('others')).toEqual(before)
    expect((await drains.describe('others')).received.frames).toBe(0)
  })
})

describe('OTLP', () => {
  const sendTo = (drain: string, sending: Sending, type: string) =>
    drains.call(
      'POST',
      drain,
      { below: '/v1/logs', ...sending, headers: { 'content-type': type, ...sending.headers } },
      type === 'application/json' ? '{"resourceLogs":[]}' : '',
    )

  it.each(['application/json', 'application/x-protobuf'])(
    'is let in by the same, and refused in its own words: %s',
    async (type) => {
      const good = await sendTo('mine', { headers: { authorization: `Bearer ${mine}` } }, type)
      expect(good.status).toBe(200)
      for (const [drain, status] of [
        ['mine', 401],
        ['nobody', 404],
      ] as const) {
        const answer = await sendTo(drain, { headers: { authorization: `Bearer ${others}` } }, type)
        expect(answer.status).toBe(status)
        expect(answer.headers['content-type']).toBe(type)
      }
      expect((await sendTo('mine', {}, type)).status).toBe(401)
    },
  )
})
