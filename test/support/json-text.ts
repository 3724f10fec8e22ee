import fc from 'fast-check'

/**
 * JSON as people write it, as text: JSON.stringify never writes 1e400, -0, escapes nobody needs, duplicate
 * keys or space between tokens. With `newlines`, newlines are among the space.
 */
export function jsonText(options: { newlines?: boolean } = {}): fc.Arbitrary<string> {
  const spaces = options.newlines ? ['', '', ' ', '\t', '\r', '\n', ' \r\n\t'] : ['', '', ' ', '\t']
  const space = fc.constantFrom(...spaces)
  return fc.letrec<{ value: string }>((tie) => {
    const spaced = fc.tuple(space, tie('value'), space).map((parts) => parts.join(''))
    const name = fc.tuple(space, stringText, space).map((parts) => parts.join(''))
    const member = fc.tuple(name, spaced).map((parts) => parts.join(':'))
    const inside = { maxLength: 4, depthIdentifier: 'json' }
    const array = fc.array(spaced, inside).map((items) => `[${items.join(',')}]`)
    const object = fc.array(member, inside).map((items) => `{${items.join(',')}}`)
    const value = fc.oneof(
      { maxDepth: 4, depthIdentifier: 'json' },
      scalarText,
      array,
      object,
      fc.tuple(space).map(([text]) => `[${text}]`),
      fc.tuple(space).map(([text]) => `{${text}}`),
    )
    return { value }
  }).value
}

const digits = fc.stringMatching(/^\d{1,25}$/)
const integer = fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,24}$/))

const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    integer,
    fc.option(digits, { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), digits), { nil: undefined }),
  )
  .map(([sign, whole, fraction, exponent]) =>
    [sign, whole, fraction === undefined ? '' : `.${fraction}`, ...(exponent ?? [])].join(''),
  )

const escape = fc.oneof(
  fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t'),
  fc.stringMatching(/^[0-9a-fA-F]{4}$/).map((hex) => `\\u${hex}`),
  fc.constantFrom('\\u0000', '\\ud800', '\\uDFFF', '\\ud83d\\ude00'),
)

/** The text of a JSON string, quotes included. */
export const stringText = fc
  .array(
    fc.oneof(
      fc
        .string({ unit: 'grapheme', maxLength: 4 })
        .map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom('__proto__', 'key', '\u2028', '\u007f', '😀', 'é'),
      escape,
    ),
    { maxLength: 4 },
  )
  .map((parts) => `"${parts.join('')}"`)

const scalarText = fc.oneof(
  numberText,
  stringText,
  fc.constantFrom('true', 'false', 'null', '1e400', '-0', '0.1', '12345678901234567890', '""'),
)

/** Bytes with a few of them changed, dropped, doubled or swapped for what JSON is made of. */
export function mutated(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const change = fc.tuple(
    place,
    fc.constantFrom('flip', 'set', 'delete', 'insert', 'cut'),
    fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from('{}[]",:\\0-.eE+tfnu \n')),
    ),
  )
  return fc
    .tuple(bytes, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([original, changes]) => changes.reduce(mutate, original))
}

function mutate(bytes: Buffer, [place, kind, byte]: [number, string, number]): Buffer {
  const at = Math.floor(place * bytes.length)
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at + 1)
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.of((bytes[at] ?? 0) ^ (1 << (byte & 7))), after])
    case 'set':
      return Buffer.concat([before, Buffer.of(byte), after])
    case 'delete':
      return Buffer.concat([before, after])
    case 'insert':
      return Buffer.concat([before, Buffer.of(byte), bytes.subarray(at)])
    default:
      return before
  }
}
