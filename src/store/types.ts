import pg from 'pg'

/** Offsets and ids as numbers: the schema bounds them to 2^53 - 1, and this asserts it. */
export function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is not a safe integer`)
  return value
}

/** What pg uses to read columns; all pools share it. */
export const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, safeInteger)
