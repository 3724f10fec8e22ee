const LOWER = 1
const UPPER = 2
const DIGIT = 3
const SEPARATOR = 4

/** The class of each ASCII character that tokens are made of; 0 for all others. */
const CLASSES = new Uint8Array(128)
CLASSES.fill(LOWER, 0x61, 0x7b)
CLASSES.fill(UPPER, 0x41, 0x5b)
CLASSES.fill(DIGIT, 0x30, 0x3a)
for (const separator of '-_.=~+:') CLASSES[separator.charCodeAt(0)] = SEPARATOR

/**
 * Does this look drawn by lot: base64, base62, nanoid, ULID, a JWT, an API key? Such text changes between small
 * letters, capitals and digits at every third to second character; words do at their beginnings. `shortest` is the
 * length from which on it may be one.
 */
export function isToken(text: string, shortest = 10): boolean {
  if (text.length < shortest) return false
  let [changes, digits, separators, last] = [0, 0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const kind = CLASSES[text.charCodeAt(at)] ?? 0
    if (kind === 0) return false
    if (kind === SEPARATOR) separators++
    else {
      if (last !== 0 && kind !== last) changes++
      if (kind === DIGIT) digits++
      last = kind
    }
  }
  return drawn(text.length, changes / text.length, digits, separators)
}

/** The thresholds were found by trying: see the tables in the tests. */
function drawn(length: number, changing: number, digits: number, separators: number): boolean {
  if (separators === 0 && (length >= 40 || (length >= 16 && digits >= 2 && changing >= 0.2)))
    return true
  if (length >= 32 && changing >= 0.3) return true
  return changing >= 0.3 && (digits >= 2 || (digits === 1 && (length < 10 || length >= 16)))
}
