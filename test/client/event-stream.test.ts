import { describe, expect, it } from 'vitest'
import { EventStreamParser } from '../../src/client/tails/event-stream.ts'

function parse(...pieces: string[]) {
  const parser = new EventStreamParser()
  return pieces.flatMap((piece) => parser.read(piece))
}
const event = (data: string, id?: string, type = 'message') => ({ type, data, id })

describe('an event stream', () => {
  it.each([
    ['a field', 'data: one\n\n', event('one')],
    ['a value without a space', 'data:one\n\n', event('one')],
    ['a value with two spaces', 'data:  one\n\n', event(' one')],
    ['a value with colons', 'data: a:b: c\n\n', event('a:b: c')],
    ['data of several lines', 'data: a\ndata:\ndata: b\n\n', event('a\n\nb')],
    ['a type and an id', 'event: end\nid: 0:7\ndata: {}\n\n', event('{}', '0:7', 'end')],
    ['the last of two ids', 'id: 0:7\nid: 0:8\ndata: x\n\n', event('x', '0:8')],
    ['an id alone', 'id: 0:7\n\n', event('', '0:7')],
    ['an empty id', 'id\ndata: x\n\n', event('x', '')],
    ['an id with NUL', 'id: 0\0\ndata: x\n\n', event('x')],
    ['comments', ': hello\n:\ndata: x\n: in between\n\n', event('x')],
    ['fields it does not know', 'retry: 3000\nfoo: bar\nfoo\nData: y\ndata: x\n\n', event('x')],
    ['blank lines', '\n\n\ndata: x\n\n\n\n', event('x')],
    ['carriage returns', 'id: 1\rdata: x\r\r', event('x', '1')],
    ['both', 'id: 1\r\ndata: x\r\n\r\n', event('x', '1')],
    ['a mixture', 'id: 1\rdata: x\r\n\n', event('x', '1')],
  ])('has %s', (_, text, expected) => {
    expect(parse(text)).toEqual([expected])
  })

  it.each([
    ['comments', ': hello\n\n: hello\n\n'],
    ['a type alone', 'event: x\n\n'],
    ['an event that is cut off', 'data: x\n'],
    ['a line that is cut off', 'data: x'],
    ['nothing', ''],
  ])('has no event of %s', (_, text) => {
    expect(parse(text)).toEqual([])
  })

  it('forgets type and id with the event', () => {
    expect(parse('event: a\nid: 1\ndata: x\n\ndata: y\n\n')).toEqual([
      event('x', '1', 'a'),
      event('y'),
    ])
  })

  it('is read without a look at what comes next', () => {
    expect(parse('data: x\r\r')).toEqual([event('x')])
    expect(parse('data: x\r', '\r')).toEqual([event('x')])
    expect(parse('data: x\r', '\n', '\r', '\ndata: y\r', '\n\n')).toEqual([event('x'), event('y')])
  })

  it('reads the same, wherever it is cut', () => {
    const text =
      ': hi\r\nid: 0:7\rdata: ä📦\r\ndata:b\n\nevent: end\r\n\r\ndata: c\r\r\n\n\nid: 9\n\n'
    const whole = parse(text)
    expect(whole).toEqual([event('ä📦\nb', '0:7'), event('c'), event('', '9')])
    expect(parse(...Array.from({ length: text.length }, (_, k) => text[k]!))).toEqual(whole)
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)]
        expect(parse(...pieces), JSON.stringify(pieces)).toEqual(whole)
      }
    }
  })
})
