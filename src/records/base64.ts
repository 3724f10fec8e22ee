/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside the given range */

const ALPHABET = new Uint8Array(256)
for (const byte of Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
)) {
  ALPHABET[byte] = 1
}
const BACKSLASH = 0x5c
const PAD = 0x3d

/**
 * What is wrong with the base64 text at bytes[from, to), or undefined. The standard alphabet with padding
 * (RFC 4648 section 4); `\/`, which some JSON encoders write for `/`, counts as one character.
 */
export function base64Problem(bytes: Buffer, from: number, to: number): string | undefined {
  let end = to
  let padding = 0
  while (end > from && bytes[end - 1] === PAD && padding < 2) {
    end--
    padding++
  }
  let characters = padding
  for (let at = from; at < end; at++) {
    if (bytes[at] === BACKSLASH && bytes[at + 1] === 0x2f) at++
    if (ALPHABET[bytes[at]!] !== 1) return 'is not base64 (A-Z a-z 0-9 + /, padded with =)'
    characters++
  }
  return characters % 4 === 0
    ? undefined
    : 'is not base64: its length must be a multiple of 4, padded with ='
}
