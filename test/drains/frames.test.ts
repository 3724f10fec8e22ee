import { describe, expect, it } from 'vitest'
import { splitFrames } from '../../src/drains/frames.ts'
import { frame, framed, line } from './bodies.ts'

/** Each frame as [prefix, message, suffix, is its count right]. */
function split(body: Buffer | string): [string, string, string, boolean][] {
  const text = Buffer.from(body as string).toString('latin1')
  return splitFrames(text).map(({ from, start, end, to, is_counted }) => [
    text.slice(from, start),
    text.slice(start, end),
    text.slice(end, to),
    is_counted,
  ])
}
const messages = (body: Buffer | string) => split(body).map(([, message]) => message)
const counted = (body: Buffer | string) => split(body).map(([, , , isCounted]) => isCounted)

const one = line('one')
const two = line('two', 'heroku router', 158)
const three = line('three')
/** The message with a count that is wrong by so much. */
const wrong = (message: string, by: number) => `${message.length + by} ${message}`

describe('splitFrames', () => {
  it('goes by octets: no separator, newlines inside, text that looks like a frame', () => {
    const all = [one, 'a\nb', 'no newline 12 <34>1 ', '', '7', line('5 <13>1 \n6 <14>1 x')]
    expect(messages(framed(...all))).toEqual(all)
    expect(counted(framed(...all))).toEqual(all.map(() => true))
  })

  it('counts bytes, not characters', () => {
    const text = line('20 µs, 30 €, 😀')
    const body = framed(text, one)
    expect(messages(body)).toEqual([Buffer.from(text).toString('latin1'), one])
  })

  it('takes an L10 without newline that is glued to the next frame', () => {
    const l10 = '<172>1 2026-11-21T18:22:01+00:00 host heroku logplex - Error L10'
    expect(split(framed(l10, one, two))).toEqual([
      ['64 ', l10, '', true],
      [`${one.length} `, one, '', true],
      [`${two.length} `, two, '', true],
    ])
  })

  it('keeps white space between and behind frames as suffix', () => {
    const body = `\n ${String(frame(one))}\r\n\n${String(frame(two))} \t\n`
    expect(split(body)).toEqual([
      [`\n ${one.length} `, one, '\r\n\n', true],
      [`${two.length} `, two, ' \t\n', true],
    ])
  })

  it('has no count with leading zeros', () => {
    expect(split(`00${String(frame(one))}`)).toEqual([
      ['', '00', '', false],
      [`${one.length} `, one, '', true],
    ])
  })

  it.each([-30, -3, -2, 1, 2, 3, 30, 90, 1_000_000, 99_999_999_999_999])(
    'finds the next frame where a count is wrong by %i',
    (by) => {
      const body = `${String(frame(one))}${wrong(two, by)}${String(frame(three))}${String(frame(one))}`
      expect(messages(body)).toEqual([one, two, three, one])
      expect(counted(body)).toEqual([true, false, true, true])
    },
  )

  it('takes a newline that the count leaves out as white space', () => {
    expect(split(`${wrong(one, -1)}${wrong(two, -1)}`)).toEqual([
      [`${one.length - 1} `, one.slice(0, -1), '\n', true],
      [`${two.length - 1} `, two.slice(0, -1), '\n', true],
    ])
  })

  it('finds each message where all newlines were lost', () => {
    const texts = ['Hi', 'Hi at 12:00', 'Hi +0000', 'Hi 7', 'Hi'].map((text) => line(text))
    const body = texts.map((text) => `${text.length} ${text.slice(0, -1)}`).join('')
    expect(messages(body)).toEqual(texts.map((text) => text.slice(0, -1)))
    expect(counted(body)).toEqual(texts.map(() => false))
  })

  it('believes a right count whose message ends in digits', () => {
    const texts = [line('a').slice(0, -1), line('in 12').slice(0, -1), line('b')]
    expect(messages(framed(...texts, 'x'))).toEqual([...texts, 'x'])
    expect(messages(`${String(framed(...texts))}${wrong(one, 1)}`)).toEqual([...texts, one])
  })

  it.each([1, 10, 60])('keeps a last frame that lacks %i bytes', (missing) => {
    const body = framed(one, two).subarray(0, -missing)
    expect(split(body)).toEqual([
      [`${one.length} `, one, '', true],
      [`${two.length} `, two.slice(0, -missing), '', false],
    ])
  })

  it('keeps a count without a message', () => {
    expect(split(`${String(frame(one))}89 `)).toEqual([
      [`${one.length} `, one, '', true],
      ['', '89 ', '', false],
    ])
  })

  it('cuts plain lines where one begins like a message', () => {
    const body = `${one}  continued\n${two}${three.slice(0, -1)}`
    expect(split(body)).toEqual([
      ['', `${one}  continued\n`, '', false],
      ['', two, '', false],
      ['', three.slice(0, -1), '', false],
    ])
  })

  it('leaves blank lines around plain ones out of them', () => {
    expect(split(`\n${one}\n\n${two}`)).toEqual([
      ['\n', one, '\n\n', false],
      ['', two, '', false],
    ])
  })

  it.each(['garbage', '12 monkeys', '{"a":1}\n{"a":2}\n', ' \n\n', '9', '9 ', '<', '0', '\0\0'])(
    'keeps %j as one message',
    (body) => {
      expect(split(body).map(([prefix, message]) => prefix + message)).toEqual([body])
      expect(counted(body)).toEqual([false])
    },
  )

  it('keeps garbage in front of frames, and between them', () => {
    const body = `garbage ${String(frame(one))}12 monkeys\n${String(frame(two))}`
    expect(split(body)).toEqual([
      ['', 'garbage ', '', false],
      [`${one.length} `, one, '', true],
      ['', '12 monkeys\n', '', false],
      [`${two.length} `, two, '', true],
    ])
  })

  it('makes nothing of nothing', () => {
    expect(split('')).toEqual([])
  })

  it('reads 1,025 frames', () => {
    const all = Array.from({ length: 1025 }, (_, index) => line(`line ${index}`))
    expect(messages(framed(...all))).toEqual(all)
  })

  it('does not make a hundred thousand messages of a body of tiny frames', () => {
    const body = '0 '.repeat(100_000)
    const frames = splitFrames(body)
    expect(frames.length).toBeLessThan(7_000)
    expect(frames.at(-1)!.to).toBe(body.length)
  })

  it.each([
    ['spaces', ' '.repeat(2_000_000)],
    ['digits', '1'.repeat(2_000_000)],
    ['openings', '1 <1>1 '.repeat(200_000)],
    ['long counts', '123456789012345 <1>1 '.repeat(100_000)],
    ['ends of priorities', '>1 '.repeat(600_000)],
    ['newlines in front of messages', '\n<1>1 x'.repeat(200_000)],
  ])('takes time in proportion to a body of %s', (_, body) => {
    const frames = splitFrames(body)
    expect(frames.at(-1)!.to).toBe(body.length)
  })
})
